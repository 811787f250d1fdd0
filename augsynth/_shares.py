"""Shares out of what a user weighs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from augsynth.errors import ConfigError


def shares_of(name: str, weights: Mapping[Any, float], index: Callable[[Any], int], n: int) -> Tensor:
    """(n,) float64 that sum to 1, from a mapping of labels or topics to weights.

    Args:
        name: of the argument, for messages.
        weights: what is not named gets 0.
        index: position of a label or topic; raises for those that do not exist.
        n: number of positions.

    Raises:
        ConfigError: a weight is no number from 0 up, or none is positive.
    """
    shares = torch.zeros(n, dtype=torch.float64)
    for key, weight in weights.items():
        if not isinstance(weight, (int, float)) or not 0.0 <= weight < float("inf"):
            raise ConfigError(f"{name}[{key!r}]={weight!r}: expected a weight from 0 up")
        shares[index(key)] += float(weight)
    if not shares.sum() > 0:
        raise ConfigError(f"{name}={dict(weights)!r}: at least one weight must be positive")
    return shares / shares.sum()
