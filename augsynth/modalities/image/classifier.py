"""A small convolutional classifier of images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from augsynth.modalities.image.spec import ImageSpec


class ImageClassifier(nn.Module):
    """Two convolutions, each followed by pooling, and two linear layers.

    Args:
        spec: the space of the images.
        classes: number of classes.
    """

    def __init__(self, spec: ImageSpec, classes: int) -> None:
        super().__init__()
        self.spec = spec
        height, width = spec.height // 4, spec.width // 4
        self.body = nn.Sequential(
            nn.Conv2d(spec.shape[0], 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(64 * height * width, 128), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(128, classes)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def features(self, x: Tensor) -> Tensor:
        """(n, C, H, W) float32 in [-1, 1] to (n, 128), what the last layer sees."""
        # pooling takes a third of the time on a CPU when the channels stand last
        hidden: Tensor = self.body(x.contiguous(memory_format=torch.channels_last))
        return hidden

    def forward(self, x: Tensor) -> Tensor:
        """(n, C, H, W) float32 in [-1, 1] to logits (n, classes)."""
        logits: Tensor = self.head(self.features(x))
        return logits
