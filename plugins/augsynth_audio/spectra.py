"""Spectrograms of waveforms, and the way back."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from augsynth import authoring

_WINDOW = 0.032  # seconds: long enough for the pitch of a voice, short enough for its consonants
_TINY = 1e-5
_MOMENTUM = 0.99  # of the fast Griffin-Lim algorithm (Perraudin et al. 2013), as they found best


def window_size(sample_rate: int) -> int:
    """Samples of an analysis window: a power of two of about 32 ms."""
    return int(2 ** round(math.log2(_WINDOW * sample_rate)))


class Spectra(nn.Module):
    """The short-time Fourier transform with a Hann window and a hop of a quarter of it, on (n, channels, time)."""

    window: Tensor
    phase: Tensor

    def __init__(self, sample_rate: int, length: int) -> None:
        super().__init__()
        self.size = min(window_size(sample_rate), length)
        self.hop, self.length, self.sample_rate = self.size // 4, length, sample_rate
        self.register_buffer("window", torch.hann_window(self.size), persistent=False)

    @property
    def bins(self) -> int:
        """Frequencies, from 0 to half of the sample rate."""
        return self.size // 2 + 1

    @property
    def frames(self) -> int:
        """Windows of a waveform."""
        return 1 + self.length // self.hop

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, time) to complex (n, channels, bins, frames)."""
        window = self.window.to(x.dtype)
        made = torch.stft(x.flatten(0, 1), self.size, self.hop, window=window, center=True, return_complex=True)
        return made.unflatten(0, x.shape[:2])

    def inverse(self, spectra: Tensor) -> Tensor:
        """Complex (n, channels, bins, frames) to (n, channels, time)."""
        made = torch.istft(
            spectra.flatten(0, 1), self.size, self.hop, window=self.window, center=True, length=self.length
        )
        return made.unflatten(0, spectra.shape[:2])

    def heard(self, magnitude: Tensor, start: Tensor | None = None, *, iterations: int) -> Tensor:
        """A waveform (n, channels, time) whose spectrogram is near ``magnitude`` (n, channels, bins, frames): phases
        are found by the fast Griffin-Lim algorithm.

        Args:
            magnitude: not negative.
            start: complex spectra whose phases to start from; None takes arbitrary ones, always the same.
            iterations: 30 to 60 are enough to listen to.
        """
        if start is None:
            seed = torch.zeros(1, dtype=torch.int64, device=magnitude.device)
            angle = 2 * math.pi * authoring.uniform(seed, magnitude.shape[2:])  # (1, bins, frames)
            unit = torch.polar(torch.ones_like(angle), angle)[:, None]
        else:
            unit = start / start.abs().clamp(min=_TINY)
        previous: Tensor | float = 0.0
        for _ in range(iterations):
            rebuilt = self(self.inverse(magnitude * unit))
            moved = rebuilt - (_MOMENTUM / (1 + _MOMENTUM)) * previous
            unit, previous = moved / moved.abs().clamp(min=_TINY), rebuilt
        return self.inverse(magnitude * unit)


class MelScale(nn.Module):
    """Magnitudes by bands of the mel scale, and the way back."""

    filters: Tensor
    weights: Tensor

    def __init__(self, bins: int, sample_rate: int, bands: int) -> None:
        super().__init__()
        filters = mel_filters(bins, sample_rate, bands)
        self.register_buffer("filters", filters, persistent=False)
        share = filters.T / filters.sum(0)[:, None].clamp(min=1e-12)  # of each band in a frequency
        share[filters.sum(0) == 0] = 0.0
        self.register_buffer("weights", share, persistent=False)

    def forward(self, magnitude: Tensor) -> Tensor:
        """(..., bins, frames) to (..., bands, frames)."""
        return self.filters @ magnitude

    def spread(self, levels: Tensor) -> Tensor:
        """(..., bands, frames) to (..., bins, frames): each frequency has the mean of the bands that it is in, and 0
        where it is in none."""
        return self.weights @ levels

    def inverse(self, bands: Tensor, iterations: int = 12) -> Tensor:
        """Magnitudes (..., bins, frames), not negative, whose bands are near the given ones: multiplicative updates
        (Lee & Seung 2001) of the least-squares problem."""
        made = self.weights @ bands
        target = self.filters.T @ bands
        for _ in range(iterations):
            made = made * target / (self.filters.T @ (self.filters @ made)).clamp(min=_TINY)
        return made


class LogMel(nn.Module):
    """Log-mel spectrograms (n, channels, bands, frames) of waveforms (n, channels, time), in units of 10 dB below full
    scale, from about -8 to 4."""

    def __init__(self, sample_rate: int, length: int, bands: int = 40) -> None:
        super().__init__()
        self.spectra = Spectra(sample_rate, length)
        self.scale = MelScale(self.spectra.bins, sample_rate, bands)

    def forward(self, x: Tensor) -> Tensor:
        power = self.spectra(x).abs().square()
        made: Tensor = self.scale(power).clamp(min=1e-8).log10()
        return made


def mel_filters(bins: int, sample_rate: int, bands: int) -> Tensor:
    """(bands, bins) triangles, evenly spaced on the mel scale (O'Shaughnessy 1987), each of sum 1."""

    def mel(hertz: float) -> float:
        return 2595.0 * math.log10(1.0 + hertz / 700.0)

    points = torch.linspace(mel(20.0), mel(sample_rate / 2), bands + 2)
    edges = 700.0 * (10.0 ** (points / 2595.0) - 1.0)
    hertz = torch.linspace(0, sample_rate / 2, bins)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (hertz - low) / (centre - low), (high - hertz) / (high - centre)
    made = torch.minimum(rising, falling).clamp(min=0.0)
    empty = made.sum(1) == 0  # narrower than a bin: the nearest one
    made[empty, (hertz[None] - centre[empty]).abs().argmin(1)] = 1.0
    return made / made.sum(1, keepdim=True)
