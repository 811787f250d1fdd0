"""Convolutional conditional VAE (Kingma & Welling 2014; Sohn et al. 2015)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

import augsynth
from augsynth import authoring

_POSTERIOR = 1  # stream of the posterior's noise


class VAE(authoring.LatentGenerator):
    """Gaussian decoder with the variance that fits best, KL warm-up and free bits.

    The variance of the decoder is its maximum-likelihood value for the batch (σ-VAE, Rybkin et al. 2021), so that no
    weight between reconstruction and KL needs tuning. Free bits (Kingma et al. 2016) keep latent dimensions from
    collapsing. After the fit, a Gaussian mixture per class is fitted on the latents (Ghosh et al. 2020).
    """

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

    def training_step(self, batch: authoring.TrainingBatch) -> Mapping[str, Tensor]:
        weight = 1.0 if self.kl_warmup <= 0 else min(1.0, batch.progress / self.kl_warmup)
        reconstruction, kl = self._terms(batch)
        loss = (reconstruction + weight * kl) / batch.x[0].numel()
        return {"loss": loss, "reconstruction": reconstruction, "kl": kl}

    def validation_loss(self, batch: authoring.TrainingBatch) -> Tensor | None:
        if batch.progress < self.kl_warmup:
            # before the KL counts in full, the bound is not the one that is being optimised
            return torch.tensor(float("inf"))
        reconstruction, kl = self._terms(batch)
        return reconstruction + kl

    def _terms(self, batch: authoring.TrainingBatch) -> tuple[Tensor, Tensor]:
        mean, deviation = self.to_latent(batch.x, batch.y)
        z = mean + deviation * authoring.noise(batch.seeds, (self.latent_dim,), stream=_POSTERIOR)
        return authoring.evidence(batch.x, self.from_latent(z, batch.y), mean, deviation, self.free_bits)

    def to_latent(self, x: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        mean, log_deviation = self.encoder(x, labels).float().chunk(2, dim=1)
        return mean, log_deviation.clamp(-7.0, 3.0).exp()

    def from_latent(self, z: Tensor, labels: Tensor | None) -> Tensor:
        decoded: Tensor = self.for_sampling("decoder")(z, labels).float()
        return decoded

    def draw(self, labels: Tensor | None, seeds: Tensor, *, temperature: float, truncation: float | None) -> Tensor:
        if self.prior == "mixture":
            return super().draw(labels, seeds, temperature=temperature, truncation=truncation)
        z = authoring.noise(seeds, (self.latent_dim,), truncation=truncation) * temperature
        return self.from_latent(z, labels)

    @classmethod
    def presets(cls, spec: authoring.ImageSpec, n: int) -> dict[str, Any]:
        return authoring.latent_presets(spec, n)

    @classmethod
    def search_space(cls) -> authoring.SearchSpace:
        return {
            "latent_dim": authoring.IntRange(8, 64, log=True),
            "lr": authoring.FloatRange(2e-4, 3e-3, log=True),
            "free_bits": authoring.FloatRange(0.0, 0.5),
        }
