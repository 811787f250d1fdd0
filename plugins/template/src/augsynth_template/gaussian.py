"""A generator without gradient steps: principal components, and a normal distribution of each class over them."""

from __future__ import annotations

import math

import torch
from augsynth import authoring


class Gaussian(authoring.Generator):
    """Draws from a normal distribution per class over the leading principal components of the samples."""

    def build(self, spec: authoring.SampleSpec, *, components: int = 20) -> None:
        authoring.check_whole(components=components)
        values, classes = math.prod(spec.shape), max(1, spec.num_classes)
        # buffers and parameters are what the checkpoint holds
        self.register_buffer("mean", torch.zeros(classes, values))
        self.register_buffer("directions", torch.zeros(min(components, values), values))
        self.register_buffer("spread", torch.zeros(classes, min(components, values)))

    def learn(self, data) -> None:
        x = data.model_x().flatten(1)  # (n, values) in [-1, 1]
        y = torch.zeros(len(x), dtype=torch.int64) if data.classes is None else data.classes
        self.mean.copy_(torch.stack([x[y == c].mean(0) for c in range(len(self.mean))]))
        centred = x - self.mean[y]
        directions = torch.linalg.svd(centred, full_matrices=False)[2][: len(self.directions)]
        self.directions[: len(directions)] = directions
        for c in range(len(self.mean)):
            self.spread[c] = (centred[y == c] @ self.directions.T).square().mean(0).sqrt()

    def draw(self, labels, seeds, *, temperature, truncation):
        c = seeds * 0 if labels is None else labels
        z = authoring.noise(seeds, (len(self.directions),), truncation=truncation) * temperature
        return (self.mean[c] + (z * self.spread[c]) @ self.directions).clamp(-1, 1).unflatten(1, self.spec.shape)
