"""Classifiers of the user's, which know labels by their values: what they say, by class."""

from __future__ import annotations

from typing import Any

import numpy as np

from augsynth.errors import ConfigError
from augsynth.recognition import modality_of


def named_judge(judge: Any, spec: Any) -> Any:
    """The judge that a user gives; for ``"embeddings"``, that on frozen embeddings.

    Raises:
        ConfigError: another name, or the kind of data has no embeddings.
    """
    if not isinstance(judge, str):
        return judge
    made = modality_of(spec).annotator(spec) if judge == "embeddings" else None
    if made is None:
        raise ConfigError(f"judge={judge!r}: {spec.kind} data has no such judge; pass a classifier to fit")
    return made


def class_probabilities(judge: Any, classes: Any, inputs: list[Any]) -> np.ndarray:
    """(n, classes) float64: what a fitted judge says of n inputs, 0 of a class that it does not know.

    Args:
        judge: with ``labels``, the columns of ``probabilities(inputs)``.
        classes: the :class:`LabelSpec` that gives the order.
    """
    made = np.zeros((len(inputs), len(classes)))
    made[:, [classes.index(label) for label in judge.labels]] = np.asarray(judge.probabilities(inputs))
    return made
