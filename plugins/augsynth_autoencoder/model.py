"""Convolutional denoising autoencoder with a regularised latent space."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses

from augsynth import authoring

_PIXELS, _MASK, _LATENT = 1, 2, 3  # streams of the noise


class Autoencoder(authoring.LatentGenerator):
    """Restores images from noise and masking (Vincent et al. 2010).

    The latent space is kept compact by a penalty on the latents and smooth by noise on them (RAE, Ghosh et al. 2020),
    so that a Gaussian mixture per class, fitted on it afterwards, can be sampled from.
    """

    def build(
        self,
        spec: authoring.ImageSpec,
        *,
        latent_dim: int = 32,
        width: int = 32,
        decoder_width: int | None = None,
        lr: float = 1e-3,
        pixel_noise: float = 0.3,
        mask: float = 0.25,
        latent_noise: float = 0.1,
        penalty: float = 1e-3,
        components: int = 10,
        resolution: int | None = None,
    ) -> None:
        """
        Args:
            latent_dim: size of a latent.
            width: channels at full resolution.
            decoder_width: those of the decoder; None for the same.
            lr: learning rate of Adam.
            pixel_noise: standard deviation of the noise on the input, whose range is [-1, 1].
            mask: share of 2×2 blocks of the input that are blanked.
            latent_noise: standard deviation of the noise on latents of unit scale.
            penalty: weight of the mean square of the latents.
            components: largest number of mixture components of a class.
            resolution: pixels of the shorter side that the networks see; None for all. The preset is 64 for larger
                images.
        """
        authoring.check_whole(latent_dim=latent_dim, width=width, components=components)
        authoring.check_whole(or_none=True, decoder_width=decoder_width)
        authoring.check_positive(lr=lr)
        authoring.check_positive(or_zero=True, pixel_noise=pixel_noise, latent_noise=latent_noise, penalty=penalty)
        authoring.check_shares(below_one=True, mask=mask)
        given = {"classes": spec.num_classes, "condition": spec.condition_size}
        self.size = authoring.WorkingSize(spec, resolution)
        self.encoder = authoring.ConvEncoder(self.size.shape, latent_dim, width=width, **given)
        self.decoder = authoring.ConvDecoder(self.size.shape, latent_dim, width=decoder_width or width, **given)
        self.build_mixture(spec, components, latent_dim)
        self.latent_dim = latent_dim
        self.pixel_noise, self.mask, self.latent_noise, self.penalty = pixel_noise, mask, latent_noise, penalty

    def training_step(self, batch: authoring.TrainingBatch) -> Mapping[str, Tensor]:
        clean = self.size.shrunk(batch.x)
        error, size = self._terms(batch, clean, self._corrupted(clean, batch.seeds))
        return {"loss": error + self.penalty * size, "error": error, "latent": size}

    def validation_loss(self, batch: authoring.TrainingBatch) -> Tensor | None:
        clean = self.size.shrunk(batch.x)
        return self._terms(batch, clean, clean)[0]

    def _terms(self, batch: authoring.TrainingBatch, clean: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        z, deviation = self._encoded(seen, batch.y)
        z_noisy = z + deviation * authoring.noise(batch.seeds, (self.latent_dim,), stream=_LATENT)
        return F.mse_loss(self._decoded(z_noisy, batch.y), clean), z.square().mean()

    def _corrupted(self, x: Tensor, seeds: Tensor) -> Tensor:
        noisy = x + self.pixel_noise * authoring.noise(seeds, x.shape[1:], stream=_PIXELS)
        height, width = x.shape[-2:]
        blocks = authoring.uniform(seeds, (1, (height + 1) // 2, (width + 1) // 2), stream=_MASK) < self.mask
        masked = blocks.repeat_interleave(2, 2).repeat_interleave(2, 3)[..., :height, :width]
        return noisy.masked_fill(masked, -1.0)

    def remark(self, given: Collection[str]) -> str | None:
        return None if "resolution" in given else authoring.resolution_remark("the autoencoder", self.spec, self.size)

    def to_latent(self, x: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        return self._encoded(self.size.shrunk(x), labels)

    def from_latent(self, z: Tensor, labels: Tensor | None) -> Tensor:
        return self.size.enlarged(self._decoded(z, labels))

    def _encoded(self, seen: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        z = self.encoder(seen, labels).float()
        return z, torch.full_like(z, self.latent_noise)

    def _decoded(self, z: Tensor, labels: Tensor | None) -> Tensor:
        decoded: Tensor = self.for_sampling("decoder")(z, labels).float()
        return decoded

    @classmethod
    def presets(cls, spec: authoring.ImageSpec, n: int) -> dict[str, Any]:
        return authoring.latent_presets(spec, n)

    @classmethod
    def search_space(cls) -> authoring.SearchSpace:
        return {
            "latent_dim": authoring.IntRange(8, 64, log=True),
            "lr": authoring.FloatRange(2e-4, 3e-3, log=True),
            "latent_noise": authoring.FloatRange(0.01, 0.5, log=True),
        }
