"""A small convolutional classifier of waveforms, by their log-mel spectrograms."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from augsynth_audio.spec import AudioSpec
from augsynth_audio.spectra import LogMel

_FEATURES, _POOLED = 128, 8


class AudioClassifier(nn.Module):
    """Two convolutions over a log-mel spectrogram of 40 bands, pooled to eight moments, and two linear layers.

    Args:
        spec: the space of the waveforms.
        outputs: number of classes.
    """

    def __init__(self, spec: AudioSpec, outputs: int) -> None:
        super().__init__()
        self.mel = LogMel(spec.sample_rate, spec.length)
        channels = spec.shape[0]
        self.body = nn.Sequential(
            nn.Conv2d(channels, 32, 3, stride=(1, 2), padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.AdaptiveMaxPool2d((10, _POOLED)),
            nn.Flatten(), nn.Linear(64 * 10 * _POOLED, _FEATURES), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(_FEATURES, outputs)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def features(self, x: Tensor) -> Tensor:
        """(n, channels, time) float32 in [-1, 1] to (n, 128), what the last layer sees."""
        mel = self.mel(x)
        # loudness as such says nothing of what was said
        mel = (mel - mel.mean((1, 2, 3), keepdim=True)) / mel.std((1, 2, 3), keepdim=True).clamp(min=1e-3)
        hidden: Tensor = self.body(mel.contiguous(memory_format=torch.channels_last))
        return hidden

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, time) float32 in [-1, 1] to logits (n, outputs)."""
        logits: Tensor = self.head(self.features(x))
        return logits
