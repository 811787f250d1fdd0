"""Convolutional conditional VAE (Kingma & Welling 2014; Sohn et al. 2015)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from torch import Tensor

import augsynth
from augsynth import authoring


class VAE(authoring.VariationalGenerator):
    """A VAE of images. After the fit, a Gaussian mixture per class is fitted on the latents (Ghosh et al. 2020)."""

    def build(
        self,
        spec: authoring.ImageSpec,
        *,
        latent_dim: int = 32,
        width: int = 32,
        decoder_width: int | None = None,
        lr: float = 1e-3,
        kl_warmup: float = 0.2,
        free_bits: float = 0.05,
        components: int = 10,
        prior: str = "mixture",
        resolution: int | None = None,
    ) -> None:
        """
        Args:
            latent_dim: size of a latent.
            width: channels at full resolution.
            decoder_width: those of the decoder; None for the same.
            lr: learning rate of Adam.
            kl_warmup: share of the fit over which the KL weight rises from 0 to 1 (Bowman et al. 2016).
            free_bits: nats of each latent dimension that cost nothing.
            components: largest number of mixture components of a class.
            prior: what samples are drawn from: ``"mixture"`` or ``"standard"`` (the normal prior).
            resolution: pixels of the shorter side that the networks see; None for all. The preset is 64 for larger
                images.
        """
        authoring.check_whole(latent_dim=latent_dim, width=width, components=components)
        authoring.check_whole(or_none=True, decoder_width=decoder_width)
        authoring.check_positive(lr=lr)
        authoring.check_positive(or_zero=True, free_bits=free_bits)
        authoring.check_shares(kl_warmup=kl_warmup)
        if prior not in ("mixture", "standard"):
            raise augsynth.ConfigError(f"prior={prior!r}: expected 'mixture' or 'standard'")
        given = {"classes": spec.num_classes, "condition": spec.condition_size}
        self.size = authoring.WorkingSize(spec, resolution)
        self.encoder = authoring.ConvEncoder(self.size.shape, 2 * latent_dim, width=width, **given)
        self.decoder = authoring.ConvDecoder(self.size.shape, latent_dim, width=decoder_width or width, **given)
        self.build_mixture(spec, components, latent_dim)
        self.latent_dim, self.prior = latent_dim, prior
        self.kl_warmup, self.free_bits = kl_warmup, free_bits

    def remark(self, given: Collection[str]) -> str | None:
        return None if "resolution" in given else authoring.resolution_remark("the VAE", self.spec, self.size)

    def seen(self, x: Tensor) -> Tensor:
        return self.size.shrunk(x)

    def from_latent(self, z: Tensor, labels: Tensor | None) -> Tensor:
        return self.size.enlarged(self.decoded(z, labels))

    def draw(self, labels: Tensor | None, seeds: Tensor, *, temperature: float, truncation: float | None) -> Tensor:
        if self.prior == "mixture":
            return super().draw(labels, seeds, temperature=temperature, truncation=truncation)
        z = authoring.noise(seeds, (self.latent_dim,), truncation=truncation) * temperature
        return self.from_latent(z, labels)

    def sample_losses(self, batch: authoring.TrainingBatch) -> Tensor:
        return self.sample_bounds(batch)

    @classmethod
    def private_presets(cls, spec: authoring.ImageSpec, n: int) -> dict[str, Any]:
        # fewer parameters carry less noise; not searched for
        return {"width": 16, "latent_dim": 8, "lr": 3e-3}

    @classmethod
    def presets(cls, spec: authoring.ImageSpec, n: int) -> dict[str, Any]:
        return authoring.latent_presets(spec, n)
