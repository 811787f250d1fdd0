"""Texts as weighted words: to compare them by, and to judge their labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from augsynth.errors import DataError

_COMPONENTS = 64


class ReducedWords:
    """TF-IDF of words and pairs, reduced by a truncated SVD (latent semantic analysis, Deerwester et al. 1990)."""

    def __init__(self, texts: Any) -> None:
        from sklearn.decomposition import TruncatedSVD
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import Normalizer

        self.weights = tfidf(texts)
        rows = self.weights.transform(texts)
        components = max(2, min(_COMPONENTS, min(rows.shape) - 1))
        self.reduced = make_pipeline(TruncatedSVD(components, random_state=0), Normalizer()).fit(rows)

    def __call__(self, texts: Any) -> np.ndarray:
        made: np.ndarray = self.reduced.transform(self.weights.transform(texts))
        return made


class WordJudge:
    """TF-IDF and logistic regression, fitted on the training texts.

    Args:
        data: the training set, with labels.
    """

    name = "tfidf + logistic"

    def __init__(self, data: Any) -> None:
        from sklearn.linear_model import LogisticRegression

        self.weights = tfidf(data.raw)
        # C=10: short texts have few words each, and the default of 1 keeps their weights near zero
        self.head = LogisticRegression(C=10.0, max_iter=1000)
        self.head.fit(self.weights.transform(data.raw), data.classes.numpy())

    def probabilities(self, x: Any) -> Tensor:
        """(n, classes) float32 of n texts."""
        return torch.from_numpy(self.head.predict_proba(self.weights.transform(list(x)))).float()


def tfidf(texts: Any) -> Any:
    """TF-IDF of words and pairs of words, fitted on texts. Raises DataError where they have none."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+").fit(texts)
    except ValueError as error:
        raise DataError(f"the texts have no words to compare by: {error}") from error
