"""The longest run of words that a text shares with one of many: what a copy of a text is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from augsynth.evaluation.figures import Figure, resampled_mean, share

_MOST = 60  # words; longer runs are counted as this


def longest_shared_runs(texts: Sequence[str], against: Sequence[str], *, own: bool = False) -> np.ndarray:
    """(n,) int64 words of the longest run of each text that stands in one of ``against``; case does not count.

    Args:
        texts: n texts.
        against: the texts to search.
        own: the two are the same texts, and none is compared with itself.
    """
    rows = [text.lower().split() for text in texts]
    others = rows if own else [text.lower().split() for text in against]
    found = np.zeros(len(rows), dtype=np.int64)
    alive = list(range(len(rows)))
    for length in range(1, _MOST + 1):
        counts: dict[int, int] = {}
        for words in others:
            for run in {hash(tuple(words[i : i + length])) for i in range(len(words) - length + 1)}:
                counts[run] = counts.get(run, 0) + 1
        least = 2 if own else 1
        alive = [i for i in alive if any(counts.get(run, 0) >= least for run in _runs(rows[i], length))]
        if not alive:
            break
        found[alive] = length
    return found


def _runs(words: list[str], length: int) -> list[int]:
    return [hash(tuple(words[i : i + length])) for i in range(len(words) - length + 1)]


def text_copies(made: Any, held: Any, all_train: Any) -> list[Figure]:
    """The longest runs of words that generated texts share with the training texts, beside those of held-out ones."""
    n = len(made)
    runs, floor = longest_shared_runs(made, all_train), longest_shared_runs(held, all_train)
    lengths = [np.array([len(text.split()) for text in texts]) for texts in (made, held)]
    value, about = resampled_mean(runs)
    floor_value, about_floor = resampled_mean(floor)
    note = "words of the longest run that a text shares with a training text, on average"
    figures = [Figure("longest_shared_run", value, about, floor_value, about_floor, n, "near the floor", note)]
    whole, about = share(runs >= np.maximum(lengths[0], 1))
    whole_floor, about_floor = share(floor >= np.maximum(lengths[1], 1))
    note = "share of the texts that stand in a training text from their first word to their last"
    return [*figures, Figure("whole_copies", whole, about, whole_floor, about_floor, n, "lower", note)]
