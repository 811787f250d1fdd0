"""How much of an epoch is synthetic."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from augsynth.errors import ConfigError
from augsynth.labels.kinds import Targets

Ratio = float | Mapping[Any, float] | Callable[[int], Any]


def resolve_ratio(ratio: Ratio, epoch: int, labels: Targets | None) -> float | Tensor:
    """The ratio of an epoch: one number, or (classes,) float64 for a mapping; classes not named get 0.

    Raises:
        ConfigError: a number outside [0, 1] or NaN, a mapping for unlabelled data.
        UnknownLabelError: a class that does not exist.
    """
    if callable(ratio) and not isinstance(ratio, Mapping):
        value = ratio(epoch)
        if callable(value):
            raise ConfigError(
                f"ratio: the schedule returned {value!r} for epoch {epoch}; expected a number or a mapping"
            )
        return resolve_ratio(value, epoch, labels)
    if isinstance(ratio, Mapping):
        if labels is None:
            raise ConfigError(f"ratio={dict(ratio)!r} names classes, but the data is unlabelled; pass one number")
        by_group = torch.zeros(labels.num_groups, dtype=torch.float64)
        for label, value in ratio.items():
            by_group[labels.group_index(label)] = checked_share(f"ratio[{label!r}]", value)
        return labels.shares_by(by_group)
    return checked_share("ratio", ratio)


def checked_share(name: str, value: Any) -> float:
    """``value`` as a float in [0, 1], or a ConfigError that names it."""
    try:
        number = math.nan if isinstance(value, str) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0.0 <= number <= 1.0:
        raise ConfigError(f"{name}={value!r}: expected a number in [0, 1]")
    return number


@dataclass(frozen=True)
class _Schedule:
    start: float
    end: float
    epochs: int
    delay: int = 0

    def __post_init__(self) -> None:
        checked_share("start", self.start)
        checked_share("end", self.end)
        if self.epochs < 1 or self.delay < 0:
            raise ConfigError(f"epochs={self.epochs!r}, delay={self.delay!r}: expected at least 1 and 0")

    def __call__(self, epoch: int) -> float:
        progress = min(max((epoch - self.delay) / self.epochs, 0.0), 1.0)
        return self.start + (self.end - self.start) * self._eased(progress)

    def _eased(self, progress: float) -> float:
        return progress


class LinearSchedule(_Schedule):
    """A ratio that goes from ``start`` to ``end`` over ``epochs`` epochs, after ``delay`` epochs at ``start``."""


class CosineSchedule(_Schedule):
    """As :class:`LinearSchedule`, along half a cosine: slow at both ends."""

    def _eased(self, progress: float) -> float:
        return 0.5 * (1.0 - math.cos(math.pi * progress))
