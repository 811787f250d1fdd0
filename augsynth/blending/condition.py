"""Which label a synthetic sample carries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from augsynth.errors import ConfigError
from augsynth.label_spec import LabelSpec

Condition = str | Mapping[Any, float] | Callable[..., Any] | None


def check_condition(condition: Condition, labels: LabelSpec | None) -> None:
    """Raise if ``condition`` is none that exists, or names classes that do not."""
    if condition is None or condition == "match":
        return
    if isinstance(condition, str) and condition != "balance":
        raise ConfigError(
            f"condition={condition!r}: expected 'match', 'balance', a mapping label → weight, a callable or None"
        )
    if not isinstance(condition, (str, Mapping)) and not callable(condition):
        raise ConfigError(f"condition={condition!r}: expected 'match', 'balance', a mapping, a callable or None")
    if labels is None:
        raise ConfigError(f"condition={condition!r} needs labels, and the data is unlabelled; leave it out")
    if isinstance(condition, Mapping):
        mapped_weights(condition, labels)


def mapped_weights(condition: Mapping[Any, float], labels: LabelSpec) -> Tensor:
    """(classes,) float64 shares of a mapping label → weight."""
    weights = torch.zeros(len(labels), dtype=torch.float64)
    for label, value in condition.items():
        if not isinstance(value, (int, float)) or not 0.0 <= value < float("inf"):
            raise ConfigError(f"condition[{label!r}]={value!r}: expected a weight from 0 up")
        weights[labels.index(label)] = float(value)
    if weights.sum() <= 0:
        raise ConfigError(f"condition={dict(condition)!r}: at least one weight must be positive")
    return weights / weights.sum()


def balancing_weights(remaining: Tensor, synthetic: float) -> Tensor:
    """Shares that make the classes as equal as ``synthetic`` samples can.

    Args:
        remaining: (classes,) expected number of real samples left.
        synthetic: expected number of synthetic ones.

    Returns:
        (classes,) float64 shares that fill the rarest classes up to a common level, as water would.
    """
    if synthetic <= 0:
        return torch.full_like(remaining, 1.0 / len(remaining), dtype=torch.float64)
    ordered = remaining.double().sort().values
    below = torch.arange(1, len(ordered) + 1, dtype=torch.float64)
    levels = (ordered.cumsum(0) + synthetic) / below  # level if the k rarest are filled
    k = int((levels >= ordered).nonzero().max())
    fill = (levels[k] - remaining.double()).clamp(min=0.0)
    if not fill.sum() > 0:  # too little to move the level by a rounding step: the rarest get it
        fill = (remaining == remaining.min()).double()
    return fill / fill.sum()


def drawn(weights: Tensor, u: Tensor) -> Tensor:
    """(n,) class positions from shares (classes,) and uniform numbers (n,); a class of share 0 never comes out."""
    edges = weights.cumsum(0) / weights.sum()
    last = int(weights.nonzero().max())
    return torch.searchsorted(edges, u, right=True).clamp(max=last)


def called(condition: Callable[..., Any], replaced: list[Any], u: Tensor, labels: LabelSpec) -> Tensor:
    """(n,) class positions from the user's ``condition(labels, u)``; checks what it returns."""
    wanted = condition(replaced, u)
    if not hasattr(wanted, "__len__") or len(wanted) != len(replaced):
        raise ConfigError(
            f"condition: the callable returned {wanted!r} for {len(replaced)} positions; expected as many labels"
        )
    return labels.indices(wanted)
