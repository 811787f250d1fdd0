"""What :class:`augsynth.DeviceBlend` draws for its batches, made for many of them in one go: drawn for each batch alone
it takes longer than a training step of a small network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from augsynth.seeding import derive, uniform

_DEVICE, _ROWS, _CLASS, _NOISE, _TRANSFORM = 0xDE1, 1, 2, 3, 4  # parts that are drawn independently
_AHEAD = 32  # batches


class Draws:
    """Of the batches ``index``, ``index + 1``, ... that have ``n`` samples each.

    Args:
        keys: (batches,) int64, one a batch.
        index: of the first batch.
        n: samples of a batch.
    """

    def __init__(self, keys: Tensor, index: int, n: int) -> None:
        self.keys, self.index, self.n = keys, index, n

    @cached_property
    def rows(self) -> Tensor:
        """(batches, n + 1) float64 in (0, 1): which rows are replaced, and behind them whether one more is."""
        return self._uniform(_ROWS, self.n + 1)

    @cached_property
    def classes(self) -> Tensor:
        """(batches, n) float64 in (0, 1): which class."""
        return self._uniform(_CLASS, self.n)

    @cached_property
    def seeds(self) -> Tensor:
        """(batches, n) int64: seeds of samples."""
        return self._derived(_NOISE, self.n)

    @cached_property
    def transforms(self) -> list[int]:
        """Seeds of the transforms of a batch."""
        return derive(self.keys, _TRANSFORM).tolist()

    def _derived(self, part: int, size: int) -> Tensor:
        return derive(derive(self.keys, part)[:, None], torch.arange(size))

    def _uniform(self, part: int, size: int) -> Tensor:
        return uniform(self._derived(part, size).flatten()).double().view(-1, size)


@dataclass
class BatchDraws:
    """Draws of one batch; each is a function of seed, rank, epoch, batch and row alone."""

    draws: Draws
    at: int

    @property
    def rows(self) -> Tensor:
        """(n + 1,) float64 in (0, 1)."""
        return self.draws.rows[self.at]

    def classes(self, rows: Tensor) -> Tensor:
        """(k,) float64 in (0, 1) of some rows."""
        return self.draws.classes[self.at][rows]

    def seeds(self, rows: Tensor) -> Tensor:
        """(k,) int64 of some rows."""
        return self.draws.seeds[self.at][rows]

    @property
    def transform(self) -> int:
        """A seed."""
        return self.draws.transforms[self.at]


class EpochDraws:
    """Draws of the batches of an epoch, made ahead.

    Args:
        seed: of the blend; None draws a key for each batch from torch's RNG.
        rank: of this process.
        epoch: which one.
    """

    def __init__(self, seed: int | None, rank: int, epoch: int) -> None:
        self.seed, self.rank, self.epoch = seed, rank, epoch
        self._made: Draws | None = None

    def of(self, index: int, n: int) -> BatchDraws:
        """Of one batch of ``n`` samples."""
        if self.seed is None:
            return BatchDraws(Draws(torch.randint(2**62, (1,)), index, n), 0)
        made = self._made
        if made is None or made.n != n or not made.index <= index < made.index + len(made.keys):
            batches = torch.arange(index, index + (_AHEAD if made is None or made.n == n else 1))
            made = self._made = Draws(derive(self.seed, _DEVICE, self.rank, self.epoch, batches), index, n)
        return BatchDraws(made, index - made.index)
