"""Convolutional conditional VAE (Kingma & Welling 2014; Sohn et al. 2015)."""

from __future__ import annotations

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
        lr: float = 1e-3,
        kl_warmup: float = 0.2,
        free_bits: float = 0.05,
        components: int = 10,
        prior: str = "mixture",
    ) -> None:
        """
        Args:
            latent_dim: size of a latent.
            width: channels at full resolution.
            lr: learning rate of Adam.
            kl_warmup: share of the fit over which the KL weight rises from 0 to 1 (Bowman et al. 2016).
            free_bits: nats of each latent dimension that cost nothing.
            components: largest number of mixture components of a class.
            prior: what samples are drawn from: ``"mixture"`` or ``"standard"`` (the normal prior).
        """
        if prior not in ("mixture", "standard"):
            raise augsynth.ConfigError(f"prior={prior!r}: expected 'mixture' or 'standard'")
        given = {"classes": spec.num_classes, "condition": spec.condition_size}
        self.encoder = authoring.ConvEncoder(spec.shape, 2 * latent_dim, width=width, **given)
        self.decoder = authoring.ConvDecoder(spec.shape, latent_dim, width=width, **given)
        self.build_mixture(spec, components, latent_dim)
        self.latent_dim, self.prior = latent_dim, prior
        self.kl_warmup, self.free_bits = kl_warmup, free_bits

    def draw(self, labels: Tensor | None, seeds: Tensor, *, temperature: float, truncation: float | None) -> Tensor:
        if self.prior == "mixture":
            return super().draw(labels, seeds, temperature=temperature, truncation=truncation)
        z = authoring.noise(seeds, (self.latent_dim,), truncation=truncation) * temperature
        return self.from_latent(z, labels)

    @classmethod
    def presets(cls, spec: authoring.ImageSpec, n: int) -> dict[str, Any]:
        return authoring.latent_presets(spec, n)
