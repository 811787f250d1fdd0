"""The hyper-parameters of a generator that tuning may move, and between which bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from augsynth.errors import ConfigError


@dataclass(frozen=True)
class FloatRange:
    """Floats from ``low`` to ``high``, on a logarithmic scale if ``log``."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ConfigError(f"range from {self.low} to {self.high}: expected low < high, and low > 0 with log")


@dataclass(frozen=True)
class IntRange:
    """Integers from ``low`` to ``high``, both included, on a logarithmic scale if ``log``."""

    low: int
    high: int
    log: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ConfigError(f"range from {self.low} to {self.high}: expected low < high, and low > 0 with log")


@dataclass(frozen=True)
class Choice:
    """One of several values."""

    options: Sequence[Any]

    def __post_init__(self) -> None:
        if len(self.options) < 2:
            raise ConfigError(f"choice among {list(self.options)}: expected two or more")


SearchSpace = dict[str, FloatRange | IntRange | Choice]
