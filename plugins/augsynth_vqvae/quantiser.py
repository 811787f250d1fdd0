"""Vectors as one of a fixed set of codes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

import augsynth


class Quantiser(nn.Module):
    """Finite scalar quantisation (Mentzer et al., "Finite scalar quantization: VQ-VAE made simple", 2024): each number
    of a vector is rounded to one of a few levels, and what they are together is its code. There is no codebook that
    could collapse, and none to be learnt.

    Args:
        levels: of each number, from 2 up; their product is the number of codes.
    """

    levels: Tensor
    places: Tensor

    def __init__(self, levels: Sequence[int]) -> None:
        super().__init__()
        if not levels or any(isinstance(n, bool) or not isinstance(n, int) or n < 2 for n in levels):
            raise augsynth.ConfigError(f"levels={levels!r}: expected whole numbers from 2 up, such as (8, 5, 5, 5)")
        self.codes = math.prod(levels)
        places = [math.prod(levels[:position]) for position in range(len(levels))]
        self.register_buffer("levels", torch.tensor(levels)[:, None, None], persistent=False)
        self.register_buffer("places", torch.tensor(places)[:, None, None], persistent=False)

    def forward(self, z: Tensor) -> Tensor:
        """(n, channels, h, w) → the same, each number at one of its levels in [-1, 1]; gradients pass through."""
        bounded = self._bounded(z)
        return self._centred(bounded + (bounded.round() - bounded).detach())

    def encode(self, z: Tensor) -> Tensor:
        """(n, channels, h, w) → codes (n, h, w) int64."""
        whole = self._bounded(z).round().long() + self.levels // 2
        return (whole * self.places).sum(1)

    def decode(self, codes: Tensor) -> Tensor:
        """Codes (n, h, w) → (n, channels, h, w) in [-1, 1]."""
        whole = codes[:, None] // self.places % self.levels
        return self._centred((whole - self.levels // 2).float())

    def _bounded(self, z: Tensor) -> Tensor:
        """To the range whose whole numbers are the levels: 0 to n - 1, less n // 2."""
        half = (self.levels - 1) * (1 + 1e-3) / 2
        return (z + (self._offset / half).atanh()).tanh() * half - self._offset

    def _centred(self, whole: Tensor) -> Tensor:
        return (whole + self._offset) / ((self.levels - 1) / 2)

    @property
    def _offset(self) -> Tensor:
        """Of an even number of levels none is in the middle."""
        return torch.where(self.levels % 2 == 0, 0.5, 0.0)
