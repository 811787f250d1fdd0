"""The network of a flow: a small U-Net that is told where on the way it stands."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from augsynth import authoring


class Block(nn.Module):
    """Residual block (n, C, H, W) → (n, out, H, W), scaled and shifted by what is known (n, known), as of Dhariwal &
    Nichol 2021."""

    def __init__(self, channels: int, out: int, known: int) -> None:
        super().__init__()
        self.enter = nn.Sequential(
            nn.GroupNorm(math.gcd(channels, 8), channels), nn.SiLU(), nn.Conv2d(channels, out, 3, padding=1)
        )
        self.norm = nn.GroupNorm(math.gcd(out, 8), out)
        self.told = nn.Linear(known, 2 * out)
        self.leave = nn.Sequential(nn.SiLU(), _zero(nn.Conv2d(out, out, 3, padding=1)))
        self.short = nn.Identity() if channels == out else nn.Conv2d(channels, out, 1)

    def forward(self, x: Tensor, known: Tensor) -> Tensor:
        scale, shift = self.told(known)[:, :, None, None].chunk(2, dim=1)
        out: Tensor = self.short(x) + self.leave(torch.addcmul(shift, self.norm(self.enter(x)), 1 + scale))
        return out


class Attention(nn.Module):
    """Self-attention over the positions of (n, C, H, W)."""

    def __init__(self, channels: int, head: int = 32) -> None:
        super().__init__()
        self.heads = max(1, channels // head)
        self.norm = nn.GroupNorm(math.gcd(channels, 8), channels)
        self.into = nn.Conv2d(channels, 3 * channels, 1)
        self.out = _zero(nn.Conv2d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        n, channels, height, width = x.shape
        parts = self.into(self.norm(x)).reshape(n, 3, self.heads, channels // self.heads, height * width)
        query, key, value = parts.transpose(-1, -2).unbind(1)  # each (n, heads, positions, d)
        found = nn.functional.scaled_dot_product_attention(query, key, value)
        out: Tensor = x + self.out(found.transpose(-1, -2).reshape(n, channels, height, width))
        return out


class UNet(nn.Module):
    """Average velocity of (n, C, H, W) between two times.

    Images are first folded, so that patches become channels and 8 to 16 positions along the shorter side are left: at
    full resolution a CPU would spend most of its time on edges.

    Args:
        shape: (C, H, W).
        width: channels of the upper level; the lower has twice as many.
        depth: blocks of each level on the way down.
        classes, condition: as of :func:`augsynth.authoring.condition_embedding`.
        extras: length of the vector that tells of the augmentation.
    """

    frequencies: Tensor

    def __init__(
        self, shape: tuple[int, int, int], width: int, depth: int, *, classes: int, condition: int, extras: int
    ) -> None:
        super().__init__()
        channels, self.height, self.width = shape
        self.patch = max(1, 2 ** math.ceil(math.log2(min(self.height, self.width) / 16)))
        # the folded image is halved once more
        unit = 2 * self.patch
        self.padding = (-self.width % unit, -self.height % unit)
        folded, known, lower = channels * self.patch**2, 4 * width, 2 * width
        self.register_buffer("frequencies", torch.logspace(0, 1.5, width // 2) * math.pi / 2)
        self.times = nn.Linear(4 * (width // 2), known)
        self.embed = authoring.condition_embedding(classes, condition)
        self.label = nn.Linear(32, known) if self.embed is not None else None
        self.augmentation = nn.Linear(extras, known, bias=False)
        self.told = nn.Sequential(nn.SiLU(), nn.Linear(known, known), nn.SiLU())
        self.enter = nn.Conv2d(folded, width, 3, padding=1)
        self.down = nn.ModuleList([Block(width, width, known) for _ in range(depth)])
        self.reduce = nn.Conv2d(width, lower, 2, stride=2)
        self.middle = nn.ModuleList([Block(lower, lower, known) for _ in range(depth + 1)])
        self.attention = Attention(lower)
        self.expand = nn.ConvTranspose2d(lower, width, 2, stride=2)
        self.up = nn.ModuleList([Block(2 * width, width, known) for _ in range(depth)])
        self.leave = nn.Sequential(
            nn.GroupNorm(math.gcd(width, 8), width), nn.SiLU(), _zero(nn.Conv2d(width, folded, 3, padding=1))
        )

    def forward(
        self, x: Tensor, end: Tensor, start: Tensor, labels: Tensor | None, known: Tensor, extras: Tensor | None = None
    ) -> Tensor:
        """What the velocity of ``x`` (n, C, H, W) at time ``start``, averaged over the way to ``end``, is made of; both
        times (n,) in [0, 1].

        Args:
            known: (n,), 1 where the label is told, 0 where it is kept back.
            extras: (n, extras) of the augmentation; None for none.
        """
        told = self.times(torch.cat([self._waves(start), self._waves(start - end)], dim=1))
        if self.label is not None and self.embed is not None:
            told = told + self.label(self.embed(labels)) * known[:, None]
        if extras is not None:
            told = told + self.augmentation(extras)
        told = self.told(told)
        padded = nn.functional.pad(x, (0, self.padding[0], 0, self.padding[1]))
        h = self.enter(nn.functional.pixel_unshuffle(padded, self.patch))  # (n, width, H / patch, W / patch)
        kept = []
        for block in self.down:
            h = block(h, told)
            kept.append(h)
        h = self.reduce(h)
        for position, block in enumerate(self.middle):
            h = block(h, told)
            if position == 0:
                h = self.attention(h)
        h = self.expand(h)
        for block in self.up:
            h = block(torch.cat([h, kept.pop()], dim=1), told)
        out: Tensor = nn.functional.pixel_shuffle(self.leave(h), self.patch)
        return out[..., : self.height, : self.width]

    def _waves(self, time: Tensor) -> Tensor:
        """(n,) in [0, 1] → (n, width) sines and cosines."""
        angles = time[:, None] * self.frequencies
        return torch.cat([angles.sin(), angles.cos()], dim=1)


def _zero(layer: nn.Conv2d) -> nn.Conv2d:
    """``layer`` with weights of zero: a residual block starts as the identity."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
