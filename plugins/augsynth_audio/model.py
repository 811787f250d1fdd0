"""A variational autoencoder of spectrograms, whose samples are made audible by finding phases for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

import augsynth
from augsynth import authoring
from augsynth_audio.spec import AudioSpec
from augsynth_audio.spectra import MelScale, Spectra

_LOUDEST = 0.999  # quantile of the magnitudes that counts as the top


class SpectrogramVAE(authoring.VariationalGenerator):
    """A conditional VAE of log-mel spectrograms, sampled from a mixture per class (Ghosh et al. 2020), with phases by
    the fast Griffin-Lim algorithm (Perraudin et al. 2013).

    A variation changes the loudness of a real recording, frequency by frequency and moment by moment, by as much as a
    step in the latent space changes the decoded spectrogram, and starts from its own phases: what the decoder cannot
    render stays as it was recorded.
    """

    modality = "audio"
    micro_batch: ClassVar[dict[str, int]] = {"cpu": 16}

    def build(
        self,
        spec: AudioSpec,
        *,
        latent_dim: int = 32,
        width: int = 24,
        decoder_width: int | None = None,
        bands: int = 64,
        lr: float = 1e-3,
        kl_warmup: float = 0.2,
        free_bits: float = 0.05,
        components: int = 10,
        decibels: float = 70.0,
        top: float = 30.0,
        iterations: int = 40,
    ) -> None:
        """
        Args:
            latent_dim: size of a latent.
            width: channels of the networks at half the resolution.
            decoder_width: those of the decoder; None for the same.
            bands: of the mel scale; fewer are faster to fit and duller to hear.
            lr: learning rate of Adam.
            kl_warmup: share of the fit over which the KL weight rises from 0 to 1 (Bowman et al. 2016).
            free_bits: nats of each latent dimension that cost nothing.
            components: largest number of mixture components of a class.
            decibels: range of loudness that is modelled; what is softer is silence.
            top: loudest magnitude of a band, in dB; follows from the data.
            iterations: of finding phases.
        """
        authoring.check_positive(decibels=decibels)
        if not 10.0 <= decibels <= 120.0:
            raise augsynth.ConfigError(f"decibels={decibels!r}: expected a range of 10 to 120 dB")
        authoring.check_whole(latent_dim=latent_dim, width=width, components=components, iterations=iterations)
        authoring.check_whole(or_none=True, decoder_width=decoder_width)
        authoring.check_positive(lr=lr)
        authoring.check_positive(or_zero=True, free_bits=free_bits)
        authoring.check_shares(kl_warmup=kl_warmup)
        authoring.check_whole(8, bands=bands)
        self.spectra = Spectra(spec.sample_rate, spec.length)
        self.scale = MelScale(self.spectra.bins, spec.sample_rate, bands)
        shape = (spec.shape[0], bands, self.spectra.frames)
        given = {"classes": spec.num_classes, "condition": spec.condition_size}
        self.encoder = authoring.ConvEncoder(shape, 2 * latent_dim, width=width, **given)
        self.decoder = authoring.ConvDecoder(shape, latent_dim, width=decoder_width or width, **given)
        self.build_mixture(spec, components, latent_dim)
        self.latent_dim, self.kl_warmup, self.free_bits = latent_dim, kl_warmup, free_bits
        self.decibels, self.top, self.iterations = decibels, top, iterations

    @classmethod
    def settings_from(cls, data: Any, config: Mapping[str, Any]) -> dict[str, Any]:
        """The loudest magnitude, over (at most 500 of) the recordings, or the default."""
        if not len(data):
            return {}
        x = data.model_x(slice(0, 500))
        spectra = Spectra(data.spec.sample_rate, data.spec.length)
        bands = config.get("bands", 64)
        authoring.check_whole(8, bands=bands)
        scale = MelScale(spectra.bins, data.spec.sample_rate, bands)
        magnitude = scale(spectra(x).abs()).flatten()
        loudest = magnitude.kthvalue(max(1, int(_LOUDEST * len(magnitude)))).values
        return {"top": round(float(20 * loudest.clamp(min=1e-6).log10()), 2)}

    def seen(self, x: Tensor) -> Tensor:
        return self._levels(self.spectra(x))

    def _levels(self, spectra: Tensor) -> Tensor:
        """Loudness (n, channels, bands, frames) in [-1, 1], of complex spectra."""
        decibels = 20 * self.scale(spectra.abs()).clamp(min=1e-6).log10()
        return ((decibels - self.top) * (2 / self.decibels) + 1).clamp(-1.0, 1.0)

    def from_latent(self, z: Tensor, labels: Tensor | None) -> Tensor:
        levels = self.decoded(z, labels)
        magnitude = 10 ** (((levels - 1) * (self.decibels / 2) + self.top) / 20)
        magnitude = magnitude * (levels > -0.98)  # the softest is silence, not a hiss
        return self.spectra.heard(self.scale.inverse(magnitude), iterations=self.iterations).clamp(-1.0, 1.0)

    def vary_batch(
        self, x: Tensor, labels: Tensor | None, seeds: Tensor, *, strength: float, method: str = "transfer"
    ) -> Tensor:
        spectra = self.spectra(x)
        mean, deviation = self.encoded(self._levels(spectra), labels)
        step = self.latent_step(mean, deviation, labels, seeds, method)
        # one pass over both, so that a strength of 0 gives x back
        twice = None if labels is None else torch.cat([labels, labels])
        moved, still = self.decoded(torch.cat([mean + strength * step, mean]), twice).chunk(2)
        louder = spectra * 10 ** (self.scale.spread((moved - still) * (self.decibels / 2)) / 20)
        return self.spectra.heard(louder.abs(), louder, iterations=min(self.iterations, 8)).clamp(-1.0, 1.0)

    def sample_losses(self, batch: authoring.TrainingBatch) -> Tensor:
        return self.sample_bounds(batch)

    @classmethod
    def presets(cls, spec: AudioSpec, n: int) -> dict[str, Any]:
        per_class = n / max(1, spec.num_classes)
        steps, latent_dim = (600, 16) if per_class < 30 else (1200, 32) if per_class < 300 else (3000, 32)
        return {"steps": steps, "batch_size": 32, "latent_dim": latent_dim}
