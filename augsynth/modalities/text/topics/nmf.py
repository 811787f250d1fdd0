"""Topics as factors of TF-IDF weights."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from torch import Tensor

from augsynth.errors import ConfigError, DataError
from augsynth.modalities.text.topics.words import listed_stop_words, telling_words


class Nmf:
    """Non-negative matrix factorisation (Lee & Seung 1999) of TF-IDF weights, as scikit-learn does it.

    Args:
        texts: n of them.
        k: number of topics.
        stop_words: as of :func:`augsynth.topics.fit`.
        vectorizer: texts to weights (n, words), or None for TF-IDF on the words of two texts or more.
        seed: of the factorisation.
    """

    def __init__(self, texts: Sequence[str], k: int, *, stop_words: Any, vectorizer: Any, seed: int) -> None:
        if vectorizer is None:
            few = len(texts) < 10  # then every word counts
            vectorizer = TfidfVectorizer(
                stop_words=listed_stop_words(stop_words),
                min_df=1 if few else 2,
                max_df=1.0 if few else 0.5,
                sublinear_tf=True,
            )
        elif not hasattr(vectorizer, "fit_transform") or not hasattr(vectorizer, "get_feature_names_out"):
            raise ConfigError(f"vectorizer={vectorizer!r}: expected a vectorizer of scikit-learn")
        try:
            weights = vectorizer.fit_transform(texts)
        except ValueError as error:  # an empty vocabulary, or a stop_words that scikit-learn does not know
            raise DataError(
                f"no topics can be told: {error}. The texts share no words but stop words; pass stop_words=None, "
                "a vectorizer of your own, or method='embeddings'"
            ) from error
        if k > min(weights.shape):
            raise DataError(
                f"k={k}: the {len(texts)} texts have {weights.shape[1]} words that two of them share; "
                "ask for fewer topics"
            )
        self._vectorizer = vectorizer
        self._factors = NMF(k, init="nndsvda", max_iter=400, random_state=seed % 2**32)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the assignment is settled long before
            shares = self._factors.fit_transform(weights)
        self.words: Sequence[Mapping[str, float]] = telling_words(
            self._factors.components_, vectorizer.get_feature_names_out()
        )
        untold = shares.max(1) <= 0
        self._fallback = int(np.bincount(shares.argmax(1), minlength=k).argmax())
        if untold.any():
            self.words, self._fallback = [*self.words, {}], k

    def assign(self, texts: Sequence[str]) -> Tensor:
        """(n,) int64: the topic with the largest share. Texts without known words belong to "other", if there is
        one, else to the most frequent topic."""
        shares = self._factors.transform(self._vectorizer.transform(texts))
        known = shares.max(1) > 0
        return torch.from_numpy(np.where(known, shares.argmax(1), self._fallback).astype(np.int64))
