"""The latent space of a flow: a small grid in place of many pixels (Rombach et al. 2022)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses

from augsynth import authoring

_NOISE = 31  # stream of the noise on latents


class LatentSpace(nn.Module):
    """Images as grids of numbers of mean 0 and variance 1.

    What scale the encoder leaves them at is measured while it is fitted, as in a batch norm (Leng et al., "REPA-E",
    2025), and noise on them keeps the decoder from reading what no flow could write (as of RAE, Ghosh et al. 2020).

    Args:
        codec: that is fitted; an average of its weights is what is used.
        ema_decay: of that average.
        noise: standard deviation of the noise.
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, codec: authoring.ImageCodec, ema_decay: float, noise: float) -> None:
        super().__init__()
        self.shape, self.noise = codec.grid, noise
        self.averaged = authoring.averaged(codec, ema_decay)
        self.register_buffer("mean", torch.zeros(codec.grid[0]))
        self.register_buffer("variance", torch.ones(codec.grid[0]))

    def fitted(self, z: Tensor, seeds: Tensor) -> Tensor:
        """Encoded images (n, channels, h, w) on their way to the decoder, while both are fitted."""
        normal = F.batch_norm(z, self.mean, self.variance, training=True, momentum=0.02)
        return normal + self.noise * authoring.noise(seeds, z.shape[1:], stream=_NOISE)

    @torch.no_grad()
    def encode(self, x: Tensor) -> Tensor:
        """(n, C, H, W) → (n, channels, h, w)."""
        return F.batch_norm(self._codec.encode(x).float(), self.mean, self.variance)

    @property
    def _codec(self) -> Any:
        return self.averaged.module

    def decode(self, z: Tensor, seeds: Tensor | None = None) -> Tensor:
        """(n, channels, h, w) → (n, C, H, W) in [-1, 1]; with ``seeds`` (n,) int64, with the grain of each."""
        made: Tensor = self.averaged(z, seeds).float()
        return made
