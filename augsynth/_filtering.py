"""Filters: what is taken for one, and what they say of a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from augsynth.errors import ConfigError

Filter = Callable[[Any], Any]
"""A :class:`SampleBatch` of n → (n,) bool, True for what may pass."""


def filters_of(given: Filter | Sequence[Filter]) -> tuple[Filter, ...]:
    """One filter or several as several.

    Raises:
        ConfigError: one of them is not callable, or is a class.
    """
    several = (given,) if callable(given) or isinstance(given, str) else tuple(given)
    for one in several:
        if isinstance(one, str):
            raise ConfigError(f"filters: {one!r} is a name; augsynth.create('filter', {one!r}, ...) makes the filter")
        if not callable(one) or isinstance(one, type):
            flaw = "a class" if isinstance(one, type) else "not callable"
            raise ConfigError(f"filters: {one!r} is {flaw}; expected batch → (n,) bool")
    return several


def accepted(filters: Sequence[Filter], batch: Any) -> Tensor:
    """(n,) bool: which samples of a batch pass all filters.

    Raises:
        ConfigError: what one of them says is no (n,) bool.
    """
    mask = torch.ones(len(batch), dtype=torch.bool)
    for one in filters:
        verdict = torch.as_tensor(one(batch)).cpu()
        if verdict.shape != mask.shape or verdict.dtype != torch.bool:
            raise ConfigError(
                f"filter {one!r} returned {verdict.dtype} of shape {tuple(verdict.shape)}; "
                f"expected bool of shape {tuple(mask.shape)}"
            )
        mask &= verdict
    return mask
