"""A generator without gradient steps: principal components, and a normal distribution of each class over them."""

from __future__ import annotations

import torch
from torch import Tensor

import augsynth


class Gaussian(augsynth.Generator):
    """Draws from a normal distribution per class over the leading principal components of the images."""

    def build(self, spec: augsynth.SampleSpec, *, components: int = 20) -> None:
        pixels = spec.channels * spec.height * spec.width
        k, classes = min(components, pixels), len(spec.labels) if spec.labels else 1
        self.shape = spec.shape
        # buffers are what the checkpoint holds
        self.register_buffer("mean", torch.zeros(classes, pixels))
        self.register_buffer("directions", torch.zeros(k, pixels))
        self.register_buffer("spread", torch.zeros(classes, k))

    def learn(self, data) -> None:
        x = data.model_x().flatten(1)  # (n, pixels)
        y = torch.zeros(len(x), dtype=torch.int64) if data.classes is None else data.classes
        for c in range(len(self.mean)):
            self.mean[c] = x[y == c].mean(0)
        centred = x - self.mean[y]
        _, _, directions = torch.linalg.svd(centred, full_matrices=False)
        self.directions[: len(directions)] = directions[: len(self.directions)]
        for c in range(len(self.mean)):
            self.spread[c] = (centred[y == c] @ self.directions.T).square().mean(0).sqrt()

    def draw(self, labels: Tensor | None, seeds: Tensor, *, temperature: float, truncation: float | None) -> Tensor:
        c = seeds * 0 if labels is None else labels
        z = augsynth.noise(seeds, (len(self.directions),), truncation=truncation) * temperature
        return (self.mean[c] + (z * self.spread[c]) @ self.directions).clamp(-1, 1).unflatten(1, self.shape)
