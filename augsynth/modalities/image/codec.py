"""Images as a small grid of vectors, and back: what generators of larger images work on."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses

from augsynth.errors import ConfigError
from augsynth.modalities.image.grain import Grain
from augsynth.modalities.image.networks import DoublingConv, ResidualBlock

POSITIONS = 16  # at most, along the shorter side of a grid


def usual_factor(height: int, width: int) -> int:
    """A power of two that leaves 16 positions along the shorter side at most, and 4 at least: 2 for 8 pixels, 4 for 28
    to 64, 8 for 128, 16 for 256."""
    shorter = min(height, width)
    return max(2 if shorter < POSITIONS else 4, 2 ** math.ceil(math.log2(shorter / POSITIONS)))


class ImageCodec(nn.Module):
    """An autoencoder that keeps where things are: an image becomes a grid of vectors.

    Nothing but one convolution each way runs at full resolution, where a CPU would spend most of its time.

    Args:
        shape: (C, H, W) of an image.
        channels: length of a vector.
        factor: pixels along the side of a position, a power of two from 2 up.
        width: channels at a quarter of the resolution, or at half of it with a factor of 2; twice that below, half and
            a quarter of it above.
        grain: also learn the strength of the detail that does not come back, for decoding with noise of it.

    Attributes:
        grid: (channels, h, w) of an encoded image.
        grain: what learns that strength, or None.
    """

    def __init__(
        self, shape: tuple[int, int, int], channels: int, factor: int, *, width: int = 48, grain: bool = False
    ) -> None:
        super().__init__()
        if isinstance(factor, bool) or not isinstance(factor, int) or factor < 2 or factor & (factor - 1):
            raise ConfigError(f"factor={factor!r}: expected a power of two from 2 up")
        if width < 16 or width % 16:
            raise ConfigError(f"width={width!r}: expected a multiple of 16")
        colours, self.height, self.width = shape
        self.factor, self.grid = factor, (channels, math.ceil(self.height / factor), math.ceil(self.width / factor))
        first = min(factor, 4)  # at once: nothing but this runs at full resolution
        widths = [width] + [2 * width] * int(math.log2(factor // first))
        enter = nn.Conv2d(colours, width, 2 * first, stride=first, padding=first // 2)
        down: list[nn.Module] = [enter, ResidualBlock(width)]
        for above, below in pairwise(widths):
            down += [nn.Conv2d(above, below, 4, stride=2, padding=1), ResidualBlock(below)]
        last = widths[-1]
        down += [ResidualBlock(last), _norm(last), nn.SiLU(), nn.Conv2d(last, channels, 1)]
        self.encoder = nn.Sequential(*down)
        up: list[nn.Module] = [nn.Conv2d(channels, last, 3, padding=1), ResidualBlock(last)]
        widths = [*reversed(widths), *([width // 2, width // 4] if first == 4 else [width // 2])]
        for position, (below, above) in enumerate(pairwise(widths)):
            up += [ResidualBlock(below)] if position == 0 or position < len(widths) - 2 else []
            up += [_norm(below), nn.SiLU(), DoublingConv(below, above)]
        up += [nn.SiLU(), nn.Conv2d(widths[-1], colours, 3, padding=1)]
        self.decoder = nn.Sequential(*up)
        self.grain = Grain(colours, [*reversed(widths[:-1])][:2]) if grain else None

    def encode(self, x: Tensor) -> Tensor:
        """(n, C, H, W) in [-1, 1] → (n, channels, h, w), of no particular scale; also of windows of images, whose sides
        are multiples of the factor."""
        pad = (0, -x.shape[-1] % self.factor, 0, -x.shape[-2] % self.factor)
        padded = F.pad(x, pad, mode="replicate") if any(pad) else x
        out: Tensor = self.encoder(padded)
        return out

    def decode(self, z: Tensor, seeds: Tensor | None = None) -> Tensor:
        """(n, channels, h, w) → (n, C, H, W), about in [-1, 1]; with ``seeds`` (n,) int64, with the grain of each."""
        made, seen = self.decoded(z)
        return made if seeds is None or self.grain is None else made + self._cropped(self.grain(seen, seeds))

    def decoded(self, z: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(n, channels, h, w) → (n, C, H, W) without grain, and what it is told by, finest first: what the convolutions
        that double the resolution see, (n, ..., H / 2, W / 2) and, where there are two, (n, ..., H / 4, W / 4)."""
        seen: list[Tensor] = []
        for layer in self.decoder:
            if isinstance(layer, DoublingConv):
                seen.append(z)
            z = layer(z)
        return self._cropped(z), seen[:-3:-1]

    def forward(self, z: Tensor, seeds: Tensor | None = None) -> Tensor:
        """:meth:`decode`, in [-1, 1]."""
        return self.decode(z, seeds).clamp(-1.0, 1.0)

    def _cropped(self, x: Tensor) -> Tensor:
        return x[..., : self.height, : self.width]


class PatchDiscriminator(nn.Module):
    """Whether the parts of an image are real (PatchGAN, Isola et al. 2017), and how it sees them.

    Args:
        channels: of an image.
        width: channels after the first convolution; doubled by each of the two after it.
    """

    def __init__(self, channels: int, width: int = 32) -> None:
        super().__init__()
        norm = nn.utils.parametrizations.spectral_norm
        sizes = [channels, width, 2 * width, 4 * width]
        self.layers = nn.ModuleList([norm(nn.Conv2d(a, b, 4, stride=2, padding=1)) for a, b in pairwise(sizes)])
        self.head = norm(nn.Conv2d(4 * width, 1, 3, padding=1))

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(n, C, H, W) → scores (n, 1, H / 8, W / 8), and what each layer sees."""
        seen = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            seen.append(x)
        return self.head(x), seen


def pyramid_loss(made: Tensor, real: Tensor, levels: int = 3) -> Tensor:
    """Mean absolute difference of (n, C, H, W) in each band of a Laplacian pyramid, finer ones counting as much as
    coarser ones (Lap1 of Bojanowski et al., "Optimizing the latent space of generative networks", 2018)."""
    apart = made - real
    loss = apart.new_zeros(())
    for _ in range(levels):
        if min(apart.shape[-2:]) < 8:
            break
        coarse = F.avg_pool2d(apart, 2, ceil_mode=True)
        back = F.interpolate(coarse, apart.shape[-2:], mode="bilinear", align_corners=False)
        loss, apart = loss + (apart - back).abs().mean(), coarse
    return loss + apart.abs().mean()


def discriminator_loss(discriminator: PatchDiscriminator, real: Tensor, made: Tensor) -> Tensor:
    """Hinge loss (Miyato et al. 2018) of telling ``real`` from ``made``, both (n, C, H, W)."""
    scores, _ = discriminator(torch.cat([real, made.detach()]))
    of_real, of_made = scores.chunk(2)
    return F.relu(1 - of_real).mean() + F.relu(1 + of_made).mean()


def perceived_loss(discriminator: PatchDiscriminator, real: Tensor, made: Tensor) -> tuple[Tensor, Tensor]:
    """How ``made`` differs from ``real`` as the discriminator sees both, and what it lacks to pass for real.

    The learned similarity of Larsen et al., "Autoencoding beyond pixels", 2016: a perceptual loss without downloaded
    weights.
    """
    scores, seen = discriminator(torch.cat([made, real]))
    apart = made.new_zeros(())
    for layer in seen:
        own, wanted = layer.chunk(2)
        apart = apart + F.l1_loss(own, wanted.detach())
    return apart / len(seen), -scores.chunk(2)[0].mean()


def _norm(channels: int) -> nn.Module:
    return nn.GroupNorm(math.gcd(channels, 8), channels)
