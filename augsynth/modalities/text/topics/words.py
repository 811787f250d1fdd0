"""The words that tell a topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_KEPT = 200  # of a topic: the rest of its weight is spread over thousands of words


def telling_words(scores: Any, names: Sequence[str]) -> list[dict[str, float]]:
    """For each topic its words with the highest of ``scores`` (topics, words), with weights that sum to 1."""
    made = []
    for row in scores:
        best = np.argsort(-row, kind="stable")[:_KEPT]
        best = best[row[best] > 0]
        made.append({str(names[i]): float(row[i] / row[best].sum()) for i in best})
    return made


def listed_stop_words(stop_words: Any) -> Any:
    """``stop_words`` as scikit-learn takes them."""
    return stop_words if stop_words is None or isinstance(stop_words, str) else list(stop_words)


def words_by_group(
    texts: Sequence[str], groups: Sequence[int], k: int, stop_words: Any = "english"
) -> list[dict[str, float]]:
    """For each of k groups of texts the words frequent in it and rare elsewhere: class-based TF-IDF (Grootendorst
    2022). Empty where there are no words, as in a script without spaces.

    Args:
        texts: n of them.
        groups: (n,) the group of each, from 0 to k - 1.
        k: number of groups.
        stop_words: as of :func:`augsynth.topics.fit`.
    """
    from sklearn.feature_extraction.text import CountVectorizer  # takes a second to import

    joined: list[list[str]] = [[] for _ in range(k)]
    for text, group in zip(texts, groups, strict=True):
        joined[int(group)].append(text)
    counter = CountVectorizer(stop_words=listed_stop_words(stop_words))
    try:
        counts = counter.fit_transform(" ".join(own) for own in joined).toarray().astype(np.float64)  # (k, words)
    except ValueError:
        return [{} for _ in range(k)]
    rarity = np.log1p(counts.sum() / k / counts.sum(0))
    return telling_words(counts / np.maximum(counts.sum(1, keepdims=True), 1) * rarity, counter.get_feature_names_out())
