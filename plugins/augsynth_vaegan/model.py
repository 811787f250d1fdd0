"""VAE/GAN (Larsen et al., "Autoencoding beyond pixels using a learned similarity metric", 2016)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import Tensor

from augsynth import authoring

_PRIOR = 4  # stream of the noise


class VAEGAN(authoring.VariationalGenerator):
    """A VAE that is also told how a discriminator of patches sees its images.

    Reconstructions are compared with the images in what the layers of the discriminator see (Larsen et al. 2016), and
    reconstructions and samples of the prior alike are to pass for real, by a hinge loss on patches (Isola et al. 2017).
    After the fit, a Gaussian mixture per class is fitted on the latents (Ghosh et al. 2020).
    """

    training_only = ("discriminator",)

    def build(
        self,
        spec: authoring.ImageSpec,
        *,
        latent_dim: int = 64,
        width: int = 32,
        decoder_width: int | None = None,
        lr: float = 1e-3,
        kl_warmup: float = 0.2,
        free_bits: float = 0.05,
        components: int = 10,
        perceived: float = 0.5,
        adversarial: float = 0.05,
        adversarial_from: float = 0.3,
        resolution: int | None = None,
    ) -> None:
        """
        Args:
            latent_dim: size of a latent.
            width: channels at half the resolution.
            decoder_width: those of the decoder; None for the same.
            lr: learning rate of Adam, for all networks.
            kl_warmup: share of the fit over which the KL weight rises from 0 to 1 (Bowman et al. 2016).
            free_bits: nats of each latent dimension that cost nothing.
            components: largest number of mixture components of a class.
            perceived, adversarial: weights of the difference that the discriminator sees, and of its verdict.
            adversarial_from: share of the fit before the discriminator counts.
            resolution: pixels of the shorter side that the networks see; None for all. The preset is 128 for larger
                images.
        """
        authoring.check_whole(latent_dim=latent_dim, width=width, components=components)
        authoring.check_whole(or_none=True, decoder_width=decoder_width)
        authoring.check_positive(lr=lr)
        authoring.check_positive(or_zero=True, free_bits=free_bits, perceived=perceived, adversarial=adversarial)
        authoring.check_shares(kl_warmup=kl_warmup, adversarial_from=adversarial_from)
        given = {"classes": spec.num_classes, "condition": spec.condition_size}
        self.size = authoring.WorkingSize(spec, resolution)
        self.encoder = authoring.ConvEncoder(self.size.shape, 2 * latent_dim, width=width, **given)
        self.decoder = authoring.ConvDecoder(self.size.shape, latent_dim, width=decoder_width or width, **given)
        self.discriminator = authoring.PatchDiscriminator(spec.channels)
        self.build_mixture(spec, components, latent_dim)
        self.latent_dim, self.lr = latent_dim, lr
        self.kl_warmup, self.free_bits = kl_warmup, free_bits
        self.perceived, self.adversarial, self.adversarial_from = perceived, adversarial, adversarial_from

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        own = [*self.encoder.parameters(), *self.decoder.parameters()]
        return {
            "model": torch.optim.Adam(own, lr=self.lr, betas=(0.9, 0.99)),
            "discriminator": torch.optim.Adam(self.discriminator.parameters(), lr=self.lr, betas=(0.5, 0.99)),
        }

    def training_step(self, batch: authoring.TrainingBatch) -> Mapping[str, Tensor]:
        losses, x, made = self.bound(batch)
        bound = losses["loss"]
        if batch.progress < self.adversarial_from:
            self.optimize("model", bound)
            return losses
        drawn = self.decoded(authoring.noise(batch.seeds, (self.latent_dim,), stream=_PRIOR), batch.y)
        crop = authoring.shared_crop(x, batch.seeds)
        real, own, free = crop(x), crop(made), crop(drawn)
        apart, missing = authoring.perceived_loss(self.discriminator, real, own)
        missing = (missing - self.discriminator(free)[0].mean()) / 2
        self.optimize("model", bound + self.perceived * apart + self.adversarial * missing)
        told = authoring.discriminator_loss(self.discriminator, torch.cat([real, real]), torch.cat([own, free]))
        self.optimize("discriminator", told)
        return {**losses, "perceived": apart, "discriminator": told}

    def validation_loss(self, batch: authoring.TrainingBatch) -> Tensor | None:
        return None  # what is looked for, that images look right, is not in the bound

    def seen(self, x: Tensor) -> Tensor:
        return self.size.shrunk(x)

    def from_latent(self, z: Tensor, labels: Tensor | None) -> Tensor:
        return self.size.enlarged(self.decoded(z, labels))

    def remark(self, given: Collection[str]) -> str | None:
        return None if "resolution" in given else authoring.resolution_remark("the VAE/GAN", self.spec, self.size)

    @classmethod
    def presets(cls, spec: authoring.ImageSpec, n: int) -> dict[str, Any]:
        made = authoring.latent_presets(spec, n)
        made["steps"] *= 2
        if (shorter := min(spec.height, spec.width)) > 64:
            # by the time of an update, half an hour on two CPU cores at 128 pixels
            made |= {"steps": 2500, "batch_size": 16, "latent_dim": 64, "resolution": 128 if shorter > 128 else None}
        return made
