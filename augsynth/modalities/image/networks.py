"""Small convolutional networks for images of any size from 8×8 up, that several generators share."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses

EMBEDDED = 32  # size of an embedded label


def base_size(height: int, width: int) -> tuple[int, tuple[int, int]]:
    """How often an image is halved, and the size at which that ends: 4 to 7 pixels along the shorter side.

    Sizes that are not multiples of a power of two end a little large, and decoders crop: 9×13 gives (1, (5, 7)).
    """
    levels = max(0, int(math.log2(min(height, width) / 4)))
    return levels, (math.ceil(height / 2**levels), math.ceil(width / 2**levels))


class ResidualBlock(nn.Module):
    """x + conv(silu(norm(conv(silu(norm(x)))))), with group norm: nothing depends on the batch."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        groups = math.gcd(channels, 8)
        self.body = nn.Sequential(
            nn.GroupNorm(groups, channels),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.GroupNorm(groups, channels),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.body(x)
        return out


def halving_kernel(weight: Tensor) -> Tensor:
    """Of a 3×3 convolution, and mean pooling of 2×2 after it, as one convolution of stride 2.

    (out, in, 3, 3) to (out, in, 4, 4): 4 multiplications for each pixel of the input in place of 9.
    """
    mean = weight.new_full((1, 1, 2, 2), 0.25)
    return F.conv2d(weight.flatten(0, 1)[:, None], mean, padding=1)[:, 0].unflatten(0, weight.shape[:2])


def doubling_kernel(weight: Tensor) -> Tensor:
    """Of nearest upsampling, and a 3×3 convolution after it, as one transposed convolution of stride 2.

    (out, in, 3, 3) to (in, out, 4, 4), turned round as transposed convolutions have it: 4 multiplications for each
    pixel of the output in place of 9.
    """
    return 4 * halving_kernel(weight).flip(2, 3).transpose(0, 1)


class DoublingConv(nn.Conv2d):
    """(n, in, h, w) to (n, out, 2h, 2w): nearest upsampling, and a 3×3 convolution after it, at less than half of the
    cost. No place of an output pixel is favoured, so that no grid shows, as it may of transposed convolutions (Odena et
    al., "Deconvolution and checkerboard artifacts", 2016)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv_transpose2d(x, doubling_kernel(self.weight), self.bias, stride=2, padding=1)


def condition_embedding(classes: int, condition: int) -> nn.Module | None:
    """A module that takes labels to vectors of 32: of a class (n,) int64 by a table, of several labels or numbers
    (n, condition) float32 by a linear map; None without either."""
    if classes:
        return nn.Embedding(classes, EMBEDDED)
    return nn.Linear(condition, EMBEDDED) if condition else None


class ConvEncoder(nn.Module):
    """Image to vector.

    Args:
        shape: (C, H, W) of an image.
        out_features: length of the vector.
        width: channels at half the resolution; twice that at a quarter and below. Nothing but one convolution runs at
            full resolution, where most of the time would go.
        classes: number of classes whose embedding joins the features, 0 for none.
        condition: length of a vector of labels or numbers that does so in their place, 0 for none.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        out_features: int,
        *,
        width: int = 32,
        classes: int = 0,
        condition: int = 0,
    ) -> None:
        super().__init__()
        channels, height, w = shape
        levels, base = base_size(height, w)
        self.pad = (0, base[1] * 2**levels - w, 0, base[0] * 2**levels - height)
        current = width
        layers: list[nn.Module] = []
        if levels == 0:
            layers = [nn.Conv2d(channels, width, 3, padding=1), ResidualBlock(width)]
        for level in range(levels):
            following = width if level == 0 else 2 * width
            layers += [nn.Conv2d(channels if level == 0 else current, following, 4, stride=2, padding=1)]
            layers += [ResidualBlock(following)]
            current = following
        layers += [nn.GroupNorm(math.gcd(current, 8), current), nn.SiLU()]
        self.body = nn.Sequential(*layers)
        self.embed = condition_embedding(classes, condition)
        self.head = nn.Linear(current * base[0] * base[1] + (EMBEDDED if self.embed is not None else 0), out_features)

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        h = F.pad(x, self.pad, mode="replicate") if any(self.pad) else x  # (n, C, base·2^levels)
        h = self.body(h).flatten(1)  # (n, channels·base²)
        if self.embed is not None:
            h = torch.cat([h, self.embed(labels)], dim=1)
        out: Tensor = self.head(h)
        return out


class ConvDecoder(nn.Module):
    """Vector to image in (-1, 1).

    Args:
        shape: (C, H, W) of an image.
        in_features: length of the vector.
        width: channels at half the resolution; half of that at full resolution, twice at a quarter and below.
        classes: number of classes whose embedding joins the vector, 0 for none.
        condition: length of a vector of labels or numbers that does so in their place, 0 for none.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        in_features: int,
        *,
        width: int = 32,
        classes: int = 0,
        condition: int = 0,
    ) -> None:
        super().__init__()
        channels, self.height, self.width = shape
        levels, self.base = base_size(self.height, self.width)
        current = width if levels <= 1 else 2 * width
        self.embed = condition_embedding(classes, condition)
        self.stem = nn.Linear(
            in_features + (EMBEDDED if self.embed is not None else 0), current * self.base[0] * self.base[1]
        )
        layers: list[nn.Module] = []
        for level in reversed(range(levels)):
            following = {0: max(width // 2, 8), 1: width}.get(level, 2 * width)
            layers += [ResidualBlock(current), nn.GroupNorm(math.gcd(current, 8), current), nn.SiLU()]
            # on a CPU several times cheaper than upsampling first; the kernel is a multiple of the stride, so that a
            # checkerboard is faint (Odena et al. 2016); a DoublingConv leaves none
            layers += [nn.ConvTranspose2d(current, following, 4, stride=2, padding=1)]
            current = following
        if levels == 0:
            layers = [ResidualBlock(current)]
        layers += [nn.SiLU(), nn.Conv2d(current, channels, 3, padding=1)]
        self.body = nn.Sequential(*layers)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        if self.embed is not None:
            z = torch.cat([z, self.embed(labels)], dim=1)
        h = self.stem(z).unflatten(1, (-1, *self.base))  # (n, channels, base)
        out: Tensor = self.body(h)[..., : self.height, : self.width]
        return torch.tanh(out)
