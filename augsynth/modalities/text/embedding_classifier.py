"""A strong classifier of few texts: logistic regression on embeddings of a frozen model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from augsynth.errors import ConfigError, DataError
from augsynth.labels.classes import plain_label
from augsynth.modalities.text.sentences import SentenceEmbeddings

_PASSES = 4  # over a set that is another in each epoch


class EmbeddingClassifier:
    """Logistic regression on embeddings of sentences that a frozen model gives: with few texts far better than anything
    trained from scratch, and so what an augmentation has to help.

    ``augsynth.uplift(..., train=EmbeddingClassifier().trainer(labels))`` compares arms by it; fitted by :meth:`fit`, it
    is a ``classifier`` for the filter ``confidence``.

    Args:
        model: as of :class:`SentenceEmbeddings`: a path, an object with ``encode``, or None for the packaged MiniLM.
        strength: inverse of the regularisation (``C`` of scikit-learn); 10 suits embeddings of length 1.

    Raises:
        ConfigError: ``strength`` is not positive, or no model can be loaded.
        MissingDependencyError: the extra ``topics`` is not installed.
    """

    name = "logistic regression on embeddings"

    def __init__(self, model: Any = None, *, strength: float = 10.0) -> None:
        if not 0.0 < strength < float("inf"):
            raise ConfigError(f"strength={strength!r}: expected a positive number")
        self.embed, self.strength = SentenceEmbeddings(model), strength
        self._fitted: Any = None

    def fit(self, texts: Sequence[str], labels: Sequence[Any]) -> EmbeddingClassifier:
        """Fit on n texts and their labels; returns itself. Raises DataError where there are fewer than two labels."""
        from sklearn.linear_model import LogisticRegression

        if len(texts) != len(labels):
            raise DataError(f"{len(texts)} texts and {len(labels)} labels: expected as many of both")
        if len(set(labels)) < 2:
            raise DataError(f"labels of {len(set(labels))} kind: expected two kinds or more")
        made = LogisticRegression(C=self.strength, max_iter=2000)
        self._fitted = made.fit(self.embed(texts), np.asarray(labels))
        return self

    @property
    def labels(self) -> list[Any]:
        """What it tells apart, in the order of :meth:`__call__`'s columns: sorted."""
        return list(self._known().classes_.tolist())

    def predict(self, texts: Sequence[str]) -> list[Any]:
        """The likeliest label of each of n texts."""
        return list(self._known().predict(self.embed(texts)).tolist())

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """(n, labels) float64, how likely each label of each text is."""
        made: np.ndarray = self._known().predict_proba(self.embed(texts))
        return made

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """:meth:`probabilities`, as the filter ``confidence`` asks its ``classifier``."""
        return self.probabilities(texts)

    def trainer(self, labels: Sequence[Any]) -> Callable[..., Any]:
        """What :func:`augsynth.uplift` takes as ``train``: another such classifier for each arm and seed.

        A dataset that differs from epoch to epoch is read for four of them.

        Args:
            labels: all labels of the data, in the order of its classes, which is that of their values.
        """
        known = list(labels)

        def train(dataset: Any, *, steps: int, batch_size: int, seed: int, device: str) -> Any:
            texts, own = [], []
            for epoch in range(_PASSES if hasattr(dataset, "set_epoch") else 1):
                if hasattr(dataset, "set_epoch"):
                    dataset.set_epoch(epoch)
                for i in range(len(dataset)):
                    x, y = dataset[i][:2]
                    texts.append(x)
                    own.append(known.index(plain_label(y)))
            fitted = EmbeddingClassifier(self.embed.model, strength=self.strength).fit(texts, own)
            return lambda given: np.asarray(fitted.predict(given))

        return train

    def _known(self) -> Any:
        if self._fitted is None:
            raise ConfigError("this classifier is not fitted: call fit(texts, labels) first")
        return self._fitted
