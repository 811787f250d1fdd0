"""How far real samples are varied, by their class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from augsynth.errors import ConfigError
from augsynth.generator.strengths import strengths
from augsynth.labels.kinds import Targets

ByClass = float | Mapping[Any, float]


def table_of(strength: ByClass, labels: Targets | None) -> Tensor | None:
    """(classes,) strengths of a mapping label → strength, 1 of labels that it does not name; None where ``strength``
    is one for all.

    Raises:
        ConfigError, UnknownLabelError: it is neither, or names a class that there is not.
    """
    if not isinstance(strength, Mapping):
        strengths(strength, 1)
        if hasattr(strength, "__len__"):
            raise ConfigError(f"strength={strength!r}: expected a number, or a mapping label → number")
        return None
    if labels is None or not labels.categorical:
        raise ConfigError(f"strength={strength!r} goes by class, and the data has none; give one number")
    made = torch.ones(len(labels), dtype=torch.float64)
    for label, own in strength.items():
        made[labels.group_index(label)] = float(strengths(own, 1))
    return made
