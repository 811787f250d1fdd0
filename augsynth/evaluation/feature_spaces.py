"""Where samples are compared: the spaces of features, each with its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor

from augsynth.errors import ConfigError, DataError
from augsynth.fitting.training_data import TrainingData
from augsynth.recognition import modality_of

Extract = Callable[[Any], Any]  # n samples as generators see them → (n, d), dense or sparse

_SECOND = "pca"


class Space:
    """A named map from samples to vectors.

    Args:
        name: stands in the names of figures.
        extract: n samples as generators see them → (n, d) array, tensor or sparse matrix.
    """

    def __init__(self, name: str, extract: Extract) -> None:
        self.name, self._extract = name, extract

    def __call__(self, x: Any) -> Any:
        """(n, d) float64 vectors, or a sparse matrix.

        Raises:
            DataError: they are not n finite vectors.
        """
        made = self._extract(x)
        if hasattr(made, "tocsr"):
            return made
        rows = np.asarray(made.cpu() if isinstance(made, Tensor) else made, dtype=np.float64)
        if rows.ndim != 2 or len(rows) != len(x):
            raise DataError(f"features {self.name!r} have shape {rows.shape} for {len(x)} samples: expected (n, d)")
        if bad := int((~np.isfinite(rows)).any(1).sum()):
            raise DataError(
                f"features {self.name!r} of {bad} of {len(x)} samples are NaN or infinite; check the samples, and the "
                "extractor"
            )
        return rows


def distances(a: Any, b: Any) -> np.ndarray:
    """(n, m) Euclidean distances."""
    from sklearn.metrics.pairwise import euclidean_distances

    made: np.ndarray = euclidean_distances(a, b)
    return made


def feature_space(features: Any, data: TrainingData, reference: Any, judge: Any) -> Space:
    """The space that ``features`` names.

    Args:
        features: ``"auto"``, one of those that the kind of data has, or a callable.
        data: the training set.
        reference: samples of all sets alike, for what is fitted: fitted on one set alone, it would render that better
            than the others.
        judge: of the labels of the training set, if there is one.

    Raises:
        ConfigError: no such extractor, or not for this data.
    """
    if callable(features):
        return Space(getattr(features, "__name__", type(features).__name__), features)
    modality = modality_of(data.spec)
    there = modality.features()
    if features == "auto":
        features = modality.default_features(judge)
    if features not in there:
        names = ", ".join(map(repr, ("auto", *there)))
        raise ConfigError(f"features={features!r}: for {data.spec.kind} data there are {names}, or a callable")
    return Space(features, there[features](data, reference, judge))


def second_space(first: Space, data: TrainingData, reference: Any, judge: Any) -> Space | None:
    """Principal components of the samples themselves, where the kind of data has them: what leaves a classifier cold
    shows there."""
    there = modality_of(data.spec).features()
    if _SECOND not in there or first.name == _SECOND:
        return None
    return Space(_SECOND, there[_SECOND](data, reference, judge))


def detail_space(data: TrainingData, reference: Any) -> Space:
    """Where copies are looked for: the samples themselves, in a form that tells one from another."""
    return Space(*modality_of(data.spec).detail(data.spec, reference))
