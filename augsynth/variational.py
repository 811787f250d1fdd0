"""Variational autoencoders: the bound that is optimised, whatever is encoded."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from augsynth.generator.authored import TrainingBatch
from augsynth.latent import LatentGenerator
from augsynth.search_space import FloatRange, IntRange, SearchSpace
from augsynth.seeding import noise

_POSTERIOR = 1  # stream of the posterior's noise


class VariationalGenerator(LatentGenerator):
    """A conditional VAE (Kingma & Welling 2014; Sohn et al. 2015) with a Gaussian decoder of the variance that fits
    best (σ-VAE, Rybkin et al. 2021), KL warm-up (Bowman et al. 2016) and free bits (Kingma et al. 2016).

    A subclass assigns in ``build`` the attributes below and calls :meth:`build_mixture`. It overrides :meth:`seen`, and
    then :meth:`from_latent`, where networks see something else than samples, such as spectrograms.

    Attributes:
        encoder: a module, samples (n, ...) as of :meth:`seen` and labels → (n, 2 · latent_dim).
        decoder: a module, latents (n, latent_dim) and labels → samples (n, ...) as of :meth:`seen`.
        latent_dim: size of a latent.
        kl_warmup: share of the fit over which the KL weight rises from 0 to 1.
        free_bits: nats of each latent dimension that cost nothing.
    """

    encoder: nn.Module
    decoder: nn.Module
    latent_dim: int
    kl_warmup: float
    free_bits: float

    def seen(self, x: Tensor) -> Tensor:
        """What the networks see of samples (n, ...), in [-1, 1]: by default the samples."""
        return x

    def encoded(self, seen: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation, each (n, latent_dim), of the posterior of what is seen."""
        mean, log_deviation = self.encoder(seen, labels).float().chunk(2, dim=1)
        return mean, log_deviation.clamp(-7.0, 3.0).exp()

    def decoded(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """What is seen of the samples of latents (n, latent_dim)."""
        made: Tensor = self.for_sampling("decoder")(z, labels).float()
        return made

    def to_latent(self, x: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        return self.encoded(self.seen(x), labels)

    def from_latent(self, z: Tensor, labels: Tensor | None) -> Tensor:
        return self.decoded(z, labels)

    def training_step(self, batch: TrainingBatch) -> Mapping[str, Tensor]:
        return self.bound(batch)[0]

    def sample_bounds(self, batch: TrainingBatch) -> Tensor:
        """(n,) the bound of each sample by itself, a value: what :meth:`sample_losses` of a subclass with one optimizer
        returns, if it offers ``privacy=``."""
        seen, made, mean, deviation = self._passed(batch)
        reconstruction, kl = sample_evidence(seen, made, mean, deviation, self.free_bits)
        loss: Tensor = (reconstruction + self._kl_weight(batch) * kl) / seen[0].numel()
        return loss

    def validation_loss(self, batch: TrainingBatch) -> Tensor | None:
        if batch.progress < self.kl_warmup:
            # before the KL counts in full, the bound is not the one that is being optimised
            return torch.tensor(float("inf"))
        losses, _, _ = self.bound(batch)
        return losses["reconstruction"] + losses["kl"]

    def bound(self, batch: TrainingBatch) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """The bound of a batch, its two terms a sample, and their sum a value as the ``"loss"``; what was seen of the
        samples, and what was decoded, both (n, ...)."""
        seen, made, mean, deviation = self._passed(batch)
        reconstruction, kl = evidence(seen, made, mean, deviation, self.free_bits)
        loss = (reconstruction + self._kl_weight(batch) * kl) / seen[0].numel()
        return {"loss": loss, "reconstruction": reconstruction, "kl": kl}, seen, made

    def _kl_weight(self, batch: TrainingBatch) -> float:
        return 1.0 if self.kl_warmup <= 0 else min(1.0, batch.progress / self.kl_warmup)

    def _passed(self, batch: TrainingBatch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What is seen of the samples, what is decoded, both (n, ...), mean and deviation of the posterior (n, d)."""
        seen = self.seen(batch.x)
        mean, deviation = self.encoded(seen, batch.y)
        z = mean + deviation * noise(batch.seeds, (self.latent_dim,), stream=_POSTERIOR)
        return seen, self.decoded(z, batch.y), mean, deviation

    @classmethod
    def search_space(cls) -> SearchSpace:
        return {
            "latent_dim": IntRange(8, 64, log=True),
            "lr": FloatRange(2e-4, 3e-3, log=True),
            "free_bits": FloatRange(0.0, 0.5),
        }


def evidence(x: Tensor, decoded: Tensor, mean: Tensor, deviation: Tensor, free_bits: float) -> tuple[Tensor, Tensor]:
    """The two terms of a VAE's bound, a sample: reconstruction and KL.

    The variance of the decoder is its maximum-likelihood value for the batch (σ-VAE, Rybkin et al. 2021), so that no
    weight between the two needs tuning; free bits (Kingma et al. 2016) keep latent dimensions from collapsing.

    Args:
        x, decoded: (n, ...) in [-1, 1].
        mean, deviation: (n, d) of the posterior.
        free_bits: nats of each latent dimension that cost nothing.
    """
    # -log N(x; decoded, σ²) with σ² at its optimum, the mean squared error; the floor is the rounding of 8-bit values
    reconstruction = 0.5 * x[0].numel() * ((decoded - x).square().mean() + 1e-5).log()
    return reconstruction, divergence(mean, deviation).mean(0).clamp(min=free_bits).sum()


def sample_evidence(
    x: Tensor, decoded: Tensor, mean: Tensor, deviation: Tensor, free_bits: float
) -> tuple[Tensor, Tensor]:
    """As :func:`evidence`, with the variance that fits each sample best, and free bits of each: (n,) and (n,), in which
    no sample has a part in another's."""
    error = (decoded - x).square().flatten(1).mean(1)
    reconstruction = 0.5 * x[0].numel() * (error + 1e-5).log()
    return reconstruction, divergence(mean, deviation).clamp(min=free_bits).sum(1)


def divergence(mean: Tensor, deviation: Tensor) -> Tensor:
    """(n, d) nats of each latent dimension, from the standard normal distribution."""
    return 0.5 * (mean.square() + deviation.square() - 2 * deviation.log() - 1)
