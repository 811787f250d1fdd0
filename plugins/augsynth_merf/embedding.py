"""Where distributions are compared: fixed features of unit length, so that one sample can move a sum by 1 at most."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses

_PIXEL_BANDWIDTH = 0.56
"""Square of the kernel's width a value, for values in [-1, 1]: DP-MERF (Harder et al. 2021) takes 105 to 127 for 784
pixels in [0, 1], and the range is twice as wide here."""
_ENERGY_BANDWIDTH = 0.014
_ORIENTATIONS, _SCALES, _REACH = 4, (1.0, 2.0), 4
_BRIGHT = 3.0


class MeanEmbedding(nn.Module):
    """Random Fourier features (Rahimi & Recht 2007) of samples, and of images' oriented energies besides.

    All is drawn from a fixed seed and none of it from data. Handcrafted features are what private learning does best
    with (Tramèr & Boneh, "Differentially private learning needs better features", 2021).

    Args:
        shape: of a sample, values in [-1, 1].
        features: length of an embedding, an even number.
    """

    directions: Tensor
    filters: Tensor
    oriented: Tensor

    def __init__(self, shape: tuple[int, ...], features: int) -> None:
        super().__init__()
        values = math.prod(shape)
        self.pictures = len(shape) == 3 and min(shape[1:]) >= 8
        random = torch.Generator().manual_seed(0)
        each = features // self.parts // 2
        self.register_buffer(
            "directions",
            torch.randn(values, each, generator=random) / math.sqrt(_PIXEL_BANDWIDTH * values),
            persistent=False,
        )
        if self.pictures:
            self.register_buffer("filters", _filters(), persistent=False)
            width = self._energies(torch.zeros(1, *shape)).shape[1]
            self.register_buffer(
                "oriented",
                torch.randn(width, each, generator=random) / math.sqrt(_ENERGY_BANDWIDTH * width),
                persistent=False,
            )
        self.length = 2 * each * self.parts

    @property
    def parts(self) -> int:
        """How many kinds of features there are; each has an equal share of the embedding."""
        return 2 if self.pictures else 1

    def forward(self, x: Tensor) -> Tensor:
        """(n, length) of unit length, of samples (n, ...): the cosines, then the sines."""
        return _unit(torch.cat([self._angles(x, part) for part in range(self.parts)], 1))

    def some(self, x: Tensor, part: int, share: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Every k-th feature of one kind, from the i-th on, scaled to unit length: its distances are, in the mean over
        kinds and i, those of the whole embedding.

        Args:
            share: i and k.

        Returns:
            (n, d) features, and (d,) their columns in the whole embedding.
        """
        first, step = share
        made = _unit(self._angles(x, part, slice(first, None, step)))
        half = self.length // 2
        each = half // self.parts
        columns = torch.arange(first, each, step, device=x.device) + part * each
        return made, torch.cat([columns, columns + half])

    def _angles(self, x: Tensor, part: int, chosen: slice = slice(None)) -> Tensor:
        if part == 0:
            return x.flatten(1) @ self.directions[:, chosen]
        return self._energies(x) @ self.oriented[:, chosen]

    def _energies(self, x: Tensor) -> Tensor:
        """(n, d) how much there is of each orientation and scale, by place."""
        made = F.conv2d(0.5 * x.mean(1, keepdim=True), self.filters, padding=_REACH, stride=2)
        even, odd = made.chunk(2, 1)
        energy = (even.square() + odd.square() + 1e-4).sqrt()
        return _BRIGHT * F.avg_pool2d(energy, 2, ceil_mode=True).flatten(1)


def _unit(angles: Tensor) -> Tensor:
    """(n, 2d) of unit length, of angles (n, d)."""
    return torch.cat([angles.cos(), angles.sin()], 1) / math.sqrt(angles.shape[1])


def _filters() -> Tensor:
    """(2k, 1, 9, 9) Gabor filters, first the k even ones, which leave a flat surface cold, then the odd ones."""
    steps = torch.arange(-_REACH, _REACH + 1.0)
    rows, columns = torch.meshgrid(steps, steps, indexing="ij")
    even, odd = [], []
    for scale in _SCALES:
        for turn in range(_ORIENTATIONS):
            angle = math.pi * turn / _ORIENTATIONS
            along = columns * math.cos(angle) + rows * math.sin(angle)
            across = rows * math.cos(angle) - columns * math.sin(angle)
            envelope = torch.exp(-(along.square() + 0.5 * across.square()) / (2 * (0.8 * scale) ** 2))
            envelope = envelope / envelope.sum()
            wave = envelope * torch.cos(2.4 / scale * along)
            even.append(wave - envelope * wave.sum())
            odd.append(envelope * torch.sin(2.4 / scale * along))
    return torch.stack(even + odd)[:, None]
