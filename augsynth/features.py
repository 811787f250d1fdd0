"""Vectors of samples, for comparing them: what any kind of data may use, as classes and functions that go to spawned
workers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from augsynth.errors import ConfigError

_COMPONENTS = 64
_PART = {"cpu": 64, "cuda": 4096}  # what the caches of a CPU hold; five times as fast as 1024


def values(x: Tensor) -> np.ndarray:
    """(n, values) of samples (n, ...)."""
    rows: np.ndarray = x.cpu().flatten(1).numpy()
    return rows


class ClassifierFeatures:
    """What the last layer of a fitted classifier sees, of unit size on average over ``x``, so that distances of one
    task can be read beside those of another."""

    def __init__(self, model: nn.Module, x: Any) -> None:
        self.model = model
        self.size = max(float(features(model, x).double().square().mean().sqrt()), 1e-12)

    @classmethod
    def of(cls, judge: Any, data: Any) -> ClassifierFeatures:
        """Of the classifier behind a judge, by the training data.

        Raises:
            ConfigError: there is no such classifier.
        """
        model = getattr(judge, "model", None)
        if model is None:
            raise ConfigError("features='classifier' needs labels of at least two classes; else there is 'pca'")
        return cls(model, data.model_x())

    def __call__(self, x: Any) -> Tensor:
        return features(self.model, x).double() / self.size


class PrincipalComponents:
    """The leading principal components of ``x``, and the distance from their span: without that, what lies off it would
    be projected among the real samples."""

    def __init__(self, x: Tensor, extract: Callable[[Any], np.ndarray] = values) -> None:
        from sklearn.decomposition import PCA

        self.extract = extract
        rows = extract(x)
        self.fitted = PCA(min(_COMPONENTS, *rows.shape), svd_solver="full", random_state=0).fit(rows)

    def __call__(self, x: Tensor) -> np.ndarray:
        rows = self.extract(x)
        scores = self.fitted.transform(rows)
        rest = np.linalg.norm(rows - self.fitted.inverse_transform(scores), axis=1, keepdims=True)
        return np.concatenate([scores, rest], axis=1)


def probabilities(model: nn.Module, x: Any) -> Tensor:
    """(n, classes) float32 on the CPU, of n samples as generators see them."""
    return _in_parts(model, x, lambda part: model(part).softmax(1))


def features(model: Any, x: Any) -> Tensor:
    """(n, d) float32 on the CPU, of n samples as generators see them."""
    return _in_parts(model, x, model.features)


def _in_parts(model: nn.Module, x: Any, of: Callable[[Any], Tensor]) -> Tensor:
    device = next(model.parameters()).device
    size = _PART.get(device.type, 1024)
    parts = (x[i : i + size] for i in range(0, len(x), size))
    with torch.no_grad():
        return torch.cat([of(part.to(device) if isinstance(part, Tensor) else part).cpu() for part in parts])
