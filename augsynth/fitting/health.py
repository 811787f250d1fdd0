"""Whether a fitted generator is in order."""

from __future__ import annotations

import torch

from augsynth.fitting.training_data import TrainingData
from augsynth.generator.generator import Generator
from augsynth.recognition import modality_of

_SAMPLES = 24
COLLAPSED_BELOW = 0.1
"""A class whose samples are this much closer together than its real ones has collapsed: far below anything that a
working generator shows (0.5 to 1.1 on digits and Fashion-MNIST), far above a constant output (0)."""


def diversity(generator: Generator, data: TrainingData) -> dict[str, float]:
    """Spread of the samples of each class, as a ratio to the spread of its real samples.

    The spread is the mean distance of pairs, as the kind of data has it. Classes with fewer than two distinct real
    samples are left out.
    """
    spec = data.spec
    classes = spec.classes
    names = classes.displayed if classes is not None else ["all"]
    kind = modality_of(spec)
    real: dict[int, float] = {}
    for c in range(len(names)):
        members = torch.arange(len(data))
        if classes is not None and data.classes is not None:
            members = (data.classes == c).nonzero().flatten()
        if (spread := kind.spread(spec, data.model_x(members[:_SAMPLES]))) > 0:
            real[c] = spread
    if not real:
        return {}
    # of all classes in one request: some generators make many samples in little more time than one
    labels = None if classes is None else [classes.values[c] for c in real for _ in range(_SAMPLES)]
    made = generator.sample(len(real) * _SAMPLES, labels=labels, seed=0).model_x
    return {
        names[c]: kind.spread(spec, made[i * _SAMPLES : (i + 1) * _SAMPLES]) / spread
        for i, (c, spread) in enumerate(real.items())
    }
