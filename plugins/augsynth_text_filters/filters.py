"""Judges of generated texts: each says of every text by itself whether it may pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import pairwise

import torch
from torch import Tensor

import augsynth
from augsynth import authoring


class Length:
    """Texts of ``low`` to ``high`` words. Raises ConfigError for bounds that admit nothing."""

    modality = "text"

    def __init__(self, *, low: int = 1, high: int | None = None) -> None:
        if low < 0 or (high is not None and high < max(low, 1)):
            raise augsynth.ConfigError(f"low={low!r}, high={high!r}: expected 0 <= low <= high, and high from 1 up")
        self.low, self.high = low, high

    def __call__(self, batch: augsynth.SampleBatch) -> Tensor:
        counts = [len(text.split()) for text in batch.model_x]
        return torch.tensor([self.low <= n and (self.high is None or n <= self.high) for n in counts])


class Repetition:
    """Texts in which no word makes up more than ``most`` of the words, and no word follows itself.

    Args:
        most: share of the words, from three occurrences on: in short texts, "the" may well come twice.
        in_a_row: whether a word may follow itself.
    """

    modality = "text"

    def __init__(self, *, most: float = 0.3, in_a_row: bool = False) -> None:
        if not 0.0 < most <= 1.0:
            raise augsynth.ConfigError(f"most={most!r}: expected a share in (0, 1]")
        self.most, self.in_a_row = most, in_a_row

    def __call__(self, batch: augsynth.SampleBatch) -> Tensor:
        return torch.tensor([self._passes(text.lower().split()) for text in batch.model_x])

    def _passes(self, words: Sequence[str]) -> bool:
        if not self.in_a_row and any(a == b and a.isalnum() for a, b in pairwise(words)):
            return False
        counts = [words.count(word) for word in set(words)]
        return not counts or max(counts) < 3 or max(counts) <= self.most * len(words)


class Copying:
    """Texts whose longest run of words that also stands in a training text has at most ``longest`` words.

    Case and white space do not count. A text of fewer words passes if it is none of the training texts.

    Args:
        texts: the training texts; only hashes of their word runs are kept.
        longest: number of words that a run may have.
    """

    modality = "text"

    def __init__(self, *, texts: Iterable[str], longest: int = 6) -> None:
        authoring.check_whole(longest=longest)
        self.longest = longest
        self._runs: set[bytes] = set()
        self._whole: set[bytes] = set()
        for text in texts:
            words = text.lower().split()
            self._whole.add(_digest(words))
            self._runs.update(self._hashes(words))
        if not self._whole:
            raise augsynth.ConfigError("texts is empty: expected the texts that the generator was fitted on")

    def __call__(self, batch: augsynth.SampleBatch) -> Tensor:
        return torch.tensor([self._passes(text.lower().split()) for text in batch.model_x])

    def _passes(self, words: list[str]) -> bool:
        return _digest(words) not in self._whole and not any(run in self._runs for run in self._hashes(words))

    def _hashes(self, words: list[str]) -> Iterator[bytes]:
        n = self.longest + 1
        return (_digest(words[i : i + n]) for i in range(len(words) - n + 1))


def _digest(words: Sequence[str]) -> bytes:
    # not hash(): Python salts it in each process, and workers would not find what the main process stored
    return blake2b(" ".join(words).encode("utf-8", "surrogatepass"), digest_size=8).digest()
