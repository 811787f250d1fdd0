"""A small convolutional classifier of images."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from augsynth.modalities.image.spec import ImageSpec


class ImageClassifier(nn.Module):
    """Two convolutions, each followed by pooling, and two linear layers.

    From 80 pixels on there are more convolutions, until 10 to 20 pixels are left, and the first takes every other
    pixel: a quarter of the time, and on photographs of 128 pixels no less accurate.

    Args:
        spec: the space of the images.
        classes: number of classes.
    """

    def __init__(self, spec: ImageSpec, classes: int) -> None:
        super().__init__()
        self.spec = spec
        levels = max(2, int(math.log2(min(spec.height, spec.width) / 10)))
        stride = 1 if levels == 2 else 2
        first = nn.Conv2d(spec.shape[0], 32, 2 * stride + 1, stride=stride, padding=stride)
        layers: list[nn.Module] = [first, nn.ReLU(), nn.MaxPool2d(2)]
        for before, after in pairwise([32, *[64] * (levels - 1)]):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        if stride == 2:
            layers.pop()  # the first has halved the sides twice
        height, width = (math.ceil(side / stride) * stride // 2**levels for side in (spec.height, spec.width))
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * height * width, 128), nn.ReLU())
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
