"""Judges of generated samples: each says of every sample by itself whether it may pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

import augsynth
from augsynth import authoring

_STREAM = 0xD1F


def _judge(real: Any) -> augsynth.Judge:
    if real is None:
        raise augsynth.ConfigError("real is missing: pass the training set, or an augsynth.Judge of it")
    return real if isinstance(real, augsynth.Judge) else augsynth.Judge(real)


class Confidence:
    """Samples for whose requested label a classifier gives at least ``threshold``.

    Args:
        real: the training set, to fit a small classifier on, or an :class:`augsynth.Judge`.
        classifier: one of your own, in place of ``real``: takes n images (n, C, H, W) in [-1, 1], or a list of n texts,
            and returns (n, classes) probabilities, classes in the order of the generator's labels; scikit-learn's
            ``predict_proba`` as it is.
        threshold: least probability.
    """

    def __init__(
        self, real: Any = None, *, classifier: Callable[[Any], Any] | None = None, threshold: float = 0.5
    ) -> None:
        if (classifier is None) == (real is None):
            raise augsynth.ConfigError("expected either real, to fit a classifier on, or a classifier of your own")
        if classifier is not None and not callable(classifier):
            raise augsynth.ConfigError(f"classifier={classifier!r}: expected samples → (n, classes) probabilities")
        if not 0.0 < threshold <= 1.0:
            raise augsynth.ConfigError(f"threshold={threshold!r}: expected a share in (0, 1]")
        self.modality = "any"
        if classifier is None:
            judge = _judge(real)
            self.modality, classifier = judge.spec.modality, judge.probabilities
        self.classifier, self.threshold = classifier, threshold

    def __call__(self, batch: augsynth.SampleBatch) -> Tensor:
        if batch.classes is None:
            raise augsynth.ConfigError("confidence needs a generator that was fitted with labels")
        x = batch.model_x if isinstance(batch.model_x, Tensor) else list(batch.model_x)
        scores = torch.as_tensor(self.classifier(x)).cpu()
        if scores.ndim != 2 or len(scores) != len(batch) or int(batch.classes.max()) >= scores.shape[1]:
            raise augsynth.ConfigError(
                f"the classifier returned shape {tuple(scores.shape)} for {len(batch)} samples; expected "
                "(n, classes), with a column for each of the generator's labels"
            )
        return scores[torch.arange(len(batch)), batch.classes.cpu()] >= self.threshold


class Density:
    """Samples within the ball of the ``k`` nearest real neighbours of a real sample (Kynkäänniemi et al. 2019).

    Args:
        real: the training set, or an :class:`augsynth.Judge`.
        k: neighbours that span a ball; 5 as in Naeem et al. (2020).
        least: in how many balls a sample must lie.
    """

    def __init__(self, real: Any = None, *, k: int = 5, least: int = 1) -> None:
        self.judge, self.least = _judge(real), least
        self.modality = self.judge.spec.modality
        apart = self.judge.to_features_of_real()
        if not 1 <= k < len(apart) or least < 1:
            raise augsynth.ConfigError(f"k={k!r}, least={least!r}: expected 1 to {len(apart) - 1}, and 1 or more")
        self.radii = np.partition(apart, k, axis=1)[:, k]

    def __call__(self, batch: augsynth.SampleBatch) -> Tensor:
        inside = self.judge.to_features(batch.model_x) < self.radii[None]
        return torch.from_numpy(inside.sum(1) >= self.least)


class Novelty:
    """Samples that are farther from every training sample than the closest training samples are from one another.

    Args:
        real: the training set, or an :class:`augsynth.Judge`.
        quantile: the distance is that which this share of the training samples has to their nearest other, or less.
    """

    def __init__(self, real: Any = None, *, quantile: float = 0.05) -> None:
        authoring.check_shares(below_one=True, quantile=quantile)
        self.judge = _judge(real)
        self.modality = self.judge.spec.modality
        apart = self.judge.to_detail_of_real()
        np.fill_diagonal(apart, np.inf)
        self.distance = float(np.quantile(apart.min(1), quantile))

    def __call__(self, batch: augsynth.SampleBatch) -> Tensor:
        return torch.from_numpy(self.judge.to_detail(batch.model_x).min(1) > self.distance)


class Diversity:
    """Thins out what the generator makes too often: a sample passes with the probability real neighbours / generated
    neighbours, where that is below 1.

    Neighbours are counted among as many real as generated samples, drawn once. A sample is therefore judged by
    itself, and not by what happened to be generated before it, which would make it depend on its batch.

    Args:
        real: the training set, or an :class:`augsynth.Judge`.
        gen: the generator whose samples are judged.
        n: generated samples to count among, at most as many as there are real ones.
        k: neighbours of a real sample, on average, within the distance that counts as near.
        seed: of the generated samples.
        sampling: passed to ``gen.sample``, as they will be sampled: ``temperature``, ``truncation``, options.
    """

    def __init__(
        self, real: Any = None, *, gen: Any = None, n: int = 1000, k: int = 5, seed: int = 0, **sampling: Any
    ) -> None:
        self.judge = _judge(real)
        self.modality = self.judge.spec.modality
        if gen is None or not hasattr(gen, "sample"):
            raise augsynth.ConfigError(f"gen={gen!r}: expected the generator whose samples are to be judged")
        apart = self.judge.to_features_of_real()
        n = min(n, len(apart))
        if not 1 <= k < n:
            raise augsynth.ConfigError(f"k={k!r}: expected 1 to {n - 1}")
        apart = apart[:n, :n]
        self.radius = float(np.median(np.partition(apart, k, axis=1)[:, k]))
        self.made = self.judge.features(gen.sample(n, seed=seed, **sampling).model_x)
        self.n = n

    def __call__(self, batch: augsynth.SampleBatch) -> Tensor:
        near_real = (self.judge.to_features(batch.model_x)[:, : self.n] < self.radius).sum(1)
        near_made = (self.judge.between(self.judge.features(batch.model_x), self.made) < self.radius).sum(1)
        probability = (near_real + 1) / (near_made + 1)
        seeds = torch.tensor([row["seed"] for row in batch.meta], dtype=torch.int64)
        u = authoring.uniform(seeds, stream=_STREAM)
        return u.double() < torch.from_numpy(probability)
