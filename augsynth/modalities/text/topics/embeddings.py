"""Topics as clusters of sentence embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from sklearn.cluster import KMeans
from torch import Tensor

from augsynth.modalities.text.sentences import SentenceEmbeddings
from augsynth.modalities.text.topics.words import words_by_group


class Embeddings:
    """Clusters (k-means) of sentence embeddings, named by class-based TF-IDF (Grootendorst 2022).

    Args:
        texts: n of them.
        k: number of topics.
        model: path of a sentence-transformers model, an object with ``encode``, or None for the packaged one.
        stop_words: as of :func:`augsynth.topics.fit`.
        seed: of the clustering.
    """

    def __init__(self, texts: Sequence[str], k: int, *, model: Any, stop_words: Any, seed: int) -> None:
        self._embed = SentenceEmbeddings(model)
        self._clusters = KMeans(k, n_init=4, random_state=seed % 2**32).fit(self._embed(texts))
        self.words: Sequence[Mapping[str, float]] = words_by_group(texts, self._clusters.labels_, k, stop_words)

    def assign(self, texts: Sequence[str]) -> Tensor:
        """(n,) int64: the nearest cluster."""
        return torch.from_numpy(self._clusters.predict(self._embed(texts)).astype(np.int64))
