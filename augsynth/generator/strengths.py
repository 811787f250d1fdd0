"""How far each sample of a request is varied."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from augsynth.errors import ConfigError

Strength = float | Sequence[float] | Tensor


def strengths(given: Any, n: int) -> Tensor:
    """(n,) float64 of one strength for all, or of n. Raises ConfigError."""
    try:
        made = torch.as_tensor(given, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        made = torch.tensor(math.nan)
    if isinstance(given, (bool, str)) or made.ndim > 1 or not bool(((made >= 0) & made.isfinite()).all()):
        raise ConfigError(f"strength={given!r}: expected a number from 0 up, or one for each sample")
    if made.ndim == 1 and len(made) != n:
        raise ConfigError(f"strength has {len(made)} numbers for {n} samples")
    return made.cpu().expand(n)


def by_strength(own: Tensor, vary: Callable[[Any, float], Any], join: Callable[[list[Any]], Any]) -> Any:
    """What ``vary(rows, strength)`` makes of rows of one strength each (a slice where it is one for all), joined in the
    order of the rows.

    Args:
        own: (n,) strengths.
        join: parts → one.
    """
    values = own.unique().tolist()
    if len(values) <= 1:
        return vary(slice(None), values[0] if values else 1.0)
    rows = [(own == value).nonzero().flatten() for value in values]
    made = join([vary(part, value) for part, value in zip(rows, values, strict=True)])
    return made[torch.cat(rows).argsort()]
