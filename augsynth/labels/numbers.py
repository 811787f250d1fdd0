"""Targets that are a number, or a vector of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch
from torch import Tensor

from augsynth.errors import ConfigError
from augsynth.labels.frequencies import STREAM
from augsynth.labels.vectors import VectorTargets
from augsynth.seeding import noise, uniform

_BINS = 10
_QUANTILES = 33
Self = TypeVar("Self", bound="NumberSpec")


@dataclass(frozen=True, kw_only=True)
class NumberSpec(VectorTargets):
    """The numbers of a dataset, to be predicted: one for each sample, or a vector.

    A generator sees them standardised. In blends, ``balance`` levels ten bins of equal width over the range (of the
    first number of a vector); a ratio or weights by label are refused, as numbers have no names.

    Args:
        mean, std, low, high: of each number.
        quantiles: 33 of a single number, evenly spaced: what is drawn where none is asked for.
        spread_of: (size, size) Cholesky factor of the covariance of several, for the same.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    quantiles: tuple[float, ...] = ()
    spread_of: tuple[tuple[float, ...], ...] = ()

    kind: ClassVar[str] = "number"

    @property
    def displayed(self) -> list[str]:
        edges = np.linspace(self.low[0], self.high[0], _BINS + 1)
        return [f"{a:.3g} to {b:.3g}" for a, b in pairwise(edges)]

    @property
    def described(self) -> str:
        told = [f"{low:.4g} to {high:.4g}" for low, high in zip(self.low, self.high, strict=True)]
        return f"numbers from {', '.join(told)}"

    def display(self, row: Any) -> str:
        vector = self.meant(row[None])[0] if isinstance(row, Tensor) and row.ndim == 1 else self._rows[int(row)]
        return ", ".join(f"{value:.4g}" for value in vector.tolist())

    def seen(self, values: Tensor) -> Tensor:
        mean, std = (torch.tensor(one, dtype=torch.float64, device=values.device) for one in (self.mean, self.std))
        return ((values.double() - mean) / std).float()

    def meant(self, seen: Tensor) -> Tensor:
        mean, std = (torch.tensor(one, dtype=torch.float64, device=seen.device) for one in (self.mean, self.std))
        return seen.double() * std + mean

    def parsed(self, value: Any) -> Sequence[float]:
        if isinstance(value, (Tensor, np.ndarray, np.generic)):
            value = value.tolist()
        given = value if isinstance(value, (list, tuple)) else [value]
        try:
            numbers = [float(one) for one in given]
        except (TypeError, ValueError):
            raise ConfigError(f"labels={value!r}: expected {self.size} number{'s' * (self.size > 1)}") from None
        if len(numbers) != self.size:
            raise ConfigError(f"a target of {len(numbers)} numbers: expected {self.size}")
        return numbers

    def drawn(self, seeds: Tensor) -> Tensor:
        """(n, size) that a generator sees, distributed as the real ones are, by seeds (n,)."""
        if self.size == 1:
            at = uniform(seeds, stream=STREAM).double() * (len(self.quantiles) - 1)
            table = torch.tensor(self.quantiles, dtype=torch.float64)
            below = at.floor().long().clamp(max=len(table) - 2)
            return self.seen(torch.lerp(table[below], table[below + 1], at - below)[:, None])
        factor = torch.tensor(self.spread_of, dtype=torch.float64)
        made = noise(seeds, (self.size,), stream=STREAM).double() @ factor.T + torch.tensor(self.mean)
        low, high = torch.tensor(self.low).double(), torch.tensor(self.high).double()
        return self.seen(torch.maximum(torch.minimum(made, high), low))

    def examples(self, n: int) -> list[Any]:
        rows = [self.low[0] + (self.high[0] - self.low[0]) * i / 7 for i in range(min(n, 8))]
        return rows if self.scalar else [[row, *self.mean[1:]] for row in rows]

    def group_index(self, name: Any) -> int:
        raise ConfigError(
            f"{name!r}: numbers have no names to give shares to; pass one number for all, a schedule, 'balance' or a "
            "callable"
        )

    def unknown(self, real: Any, needed: Sequence[int]) -> list[Any]:
        """What of the real targets a generator of these could not be asked for."""
        return [] if isinstance(real, NumberSpec) and real.size == self.size else [f"targets of kind {real.kind!r}"]

    def public(self: Self) -> Self:
        return replace(self, rows=(), counts=())  # the targets themselves are training data

    @cached_property
    def _members(self) -> Tensor:
        width = max(self.high[0] - self.low[0], 1e-12)
        bins = ((self._rows[:, 0] - self.low[0]) / width * _BINS).long().clamp(0, _BINS - 1)
        return torch.nn.functional.one_hot(bins, _BINS).double()


def number_spec(values: Tensor, **form: Any) -> NumberSpec:
    """From the targets (n, size) float64 of a dataset; ``form`` are the fields of :class:`VectorTargets`."""
    std = values.std(0, unbiased=False)
    size = values.shape[1]
    quantiles = (
        torch.quantile(values[:, 0], torch.linspace(0, 1, _QUANTILES, dtype=torch.float64)) if size == 1 else None
    )
    covariance = torch.cov(values.T).reshape(size, size) + 1e-9 * torch.eye(size).double() * std.square().max().clamp(
        1e-9
    )
    factor = () if size == 1 else tuple(map(tuple, torch.linalg.cholesky(covariance).tolist()))
    return NumberSpec(
        mean=tuple(values.mean(0).tolist()),
        std=tuple(torch.where(std > 0, std, torch.ones_like(std)).tolist()),
        low=tuple(values.amin(0).tolist()),
        high=tuple(values.amax(0).tolist()),
        quantiles=() if quantiles is None else tuple(quantiles.tolist()),
        spread_of=factor,
        **form,
    )
