"""Whether a fitted generator is in order."""

from __future__ import annotations

import torch
from torch import Tensor

from augsynth.fitting.training_data import TrainingData
from augsynth.generator import Generator

_SAMPLES = 24
COLLAPSED_BELOW = 0.1
"""A class whose samples are this much closer together than its real ones has collapsed: far below anything that a
working generator shows (0.5 to 1.1 on digits and Fashion-MNIST), far above a constant output (0)."""


def diversity(generator: Generator, data: TrainingData) -> dict[str, float]:
    """Spread of the samples of each class, as a ratio to the spread of its real samples.

    The spread is the mean Euclidean distance of pairs. Classes with fewer than two distinct real samples are left
    out.
    """
    spec = data.spec
    names = spec.labels.displayed if spec.labels is not None else ["all"]
    ratios = {}
    for c, name in enumerate(names):
        members = torch.arange(len(data)) if data.classes is None else (data.classes == c).nonzero().flatten()
        real = _spread(data.model_x(members[:_SAMPLES]))
        if real <= 0:
            continue
        labels = None if spec.labels is None else [spec.labels.values[c]] * _SAMPLES
        made = generator.sample(_SAMPLES, labels=labels, seed=c)
        ratios[name] = _spread(made.model_x.cpu()) / real
    return ratios


def _spread(x: Tensor) -> float:
    return float(torch.pdist(x.flatten(1)).mean()) if len(x) > 1 else 0.0
