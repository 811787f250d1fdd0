"""Whether a fitted generator is in order."""

from __future__ import annotations

from itertools import combinations
from typing import Any

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

    The spread is the mean distance of pairs: the Euclidean one of images; of texts, the share of their words that they
    do not have in common (Jaccard). Classes with fewer than two distinct real samples are left
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
        ratios[name] = _spread(made.model_x) / real
    return ratios


def _spread(x: Any) -> float:
    if len(x) < 2:
        return 0.0
    if isinstance(x, Tensor):
        return float(torch.pdist(x.cpu().flatten(1)).mean())
    words = [set(text.split()) for text in x]
    pairs = list(combinations(words, 2))
    return sum(1.0 - len(a & b) / max(len(a | b), 1) for a, b in pairs) / len(pairs)
