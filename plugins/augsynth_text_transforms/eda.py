"""Easy data augmentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log, log1p
from typing import Any

import augsynth
from augsynth import authoring
from augsynth_text_transforms.draws import Draws
from augsynth_text_transforms.wordnet import related
from augsynth_text_transforms.words import STOP_WORDS, core, replaced

OPERATIONS = ("synonym", "insert", "swap", "delete")


class EDA(authoring.TextTransform):
    """One of four operations on some of the words: a synonym in their place, a synonym of one inserted anywhere, a
    swap of two, or deletion (Wei & Zou, "EDA: easy data augmentation techniques for boosting performance on text
    classification tasks", EMNLP 2019).

    Other than the authors' code, it leaves case, punctuation and spaces as they are.

    Args:
        alpha: share of the words that change, at least one; each word's chance when deleting.
        operations: which to choose among, each as likely.
        n_aug: keep a text as it is with the chance 1 / (n_aug + 1), as if it stood beside so many augmented copies;
            None always changes it.
        synonyms: a mapping from words in lower case to their synonyms, in place of WordNet.

    Raises:
        ConfigError: an argument cannot be used.
    """

    def __init__(
        self,
        *,
        alpha: float = 0.1,
        operations: Sequence[str] = OPERATIONS,
        n_aug: int | None = None,
        synonyms: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        if not 0.0 < alpha <= 1.0:
            raise augsynth.ConfigError(f"alpha={alpha!r}: expected a share in (0, 1]")
        if not operations or (unknown := [one for one in operations if one not in OPERATIONS]):
            raise augsynth.ConfigError(
                f"operations={operations!r}: expected some of {', '.join(OPERATIONS)}"
                + (f"; there is no {unknown[0]!r}" if operations else "")
            )
        authoring.check_whole(or_none=True, n_aug=n_aug)
        self.alpha, self.operations, self.n_aug, self.synonyms = alpha, tuple(operations), n_aug, synonyms
        self._per_gap = 1.0 / log1p(-alpha) if alpha < 1.0 else 0.0
        self._run = {name: getattr(self, f"_{name}") for name in self.operations}

    @classmethod
    def for_size(cls, n: int, **settings: Any) -> EDA:
        """With the α and n_aug that the paper recommends for ``n`` training texts (its table 3)."""
        alpha, n_aug = (0.05, 16) if n <= 500 else (0.05, 8) if n <= 2000 else (0.1, 4)
        return cls(**{"alpha": alpha, "n_aug": n_aug, **settings})

    def apply(self, text: str, seed: int) -> str:
        draws = Draws(seed)
        if self.n_aug is not None and draws.below(self.n_aug + 1) == 0:
            return text
        tokens = text.split(" ")
        operation = self.operations[0] if len(self.operations) == 1 else draws.choice(self.operations)
        self._run[operation](tokens, max(1, int(self.alpha * len(tokens))), draws)
        return " ".join(tokens)

    # ------------------------------------------------------------------ private: each changes ``tokens``

    def _synonym(self, tokens: list[str], n: int, draws: Draws) -> None:
        for i in draws.sample(len(tokens), len(tokens)):
            found = self._other(tokens[i], draws)
            if found is None:
                continue
            tokens[i] = found
            n -= 1
            if n == 0:
                return

    def _insert(self, tokens: list[str], n: int, draws: Draws) -> None:
        for _ in range(n):
            for _ in range(10):  # as in the paper's code
                span = core(token := draws.choice(tokens))
                found = self._other(token[span[0] : span[1]].lower(), draws) if span else None
                if found is not None:
                    tokens.insert(draws.below(len(tokens) + 1), found)
                    break

    def _swap(self, tokens: list[str], n: int, draws: Draws) -> None:
        if len(tokens) < 2:
            return
        for _ in range(n):
            bits = draws.bits()
            i = (bits >> 32) * len(tokens) >> 32
            j = (i + 1 + ((bits & 0xFFFFFFFF) * (len(tokens) - 1) >> 32)) % len(tokens)
            tokens[i], tokens[j] = tokens[j], tokens[i]

    def _delete(self, tokens: list[str], n: int, draws: Draws) -> None:
        # from one deleted word to the next: the gaps are geometric, and one draw a gap is cheaper than one a word
        gone, i = [], 0
        while True:
            i += int(log(1.0 - draws.share()) * self._per_gap)
            if i >= len(tokens):
                break
            gone.append(i)
            i += 1
        if len(gone) == len(tokens):
            tokens[:] = [draws.choice(tokens)]
            return
        for i in reversed(gone):
            del tokens[i]

    def _other(self, token: str, draws: Draws) -> str | None:
        """The token with a synonym in place of its word, or None."""
        span = core(token)
        if span is None:
            return None
        word = token[span[0] : span[1]].lower()
        if word in STOP_WORDS:
            return None
        options = related(word) if self.synonyms is None else self.synonyms.get(word, ())
        return replaced(token, span, draws.choice(options)) if options else None
