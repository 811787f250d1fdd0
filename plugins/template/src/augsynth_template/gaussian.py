"""A generator without gradient steps: principal components, and a normal distribution of each class over them."""

from __future__ import annotations

import torch

from augsynth import authoring


class Gaussian(authoring.Generator):
    """Draws from a normal distribution per class over the leading principal components of the images."""

    def build(self, spec: authoring.ImageSpec, *, components: int = 20) -> None:
        pixels, classes = spec.channels * spec.height * spec.width, max(1, spec.num_classes)
        # buffers and parameters are what the checkpoint holds
        self.register_buffer("mean", torch.zeros(classes, pixels))
        self.register_buffer("directions", torch.zeros(min(components, pixels), pixels))
        self.register_buffer("spread", torch.zeros(classes, min(components, pixels)))

    def learn(self, data) -> None:
        x = data.model_x().flatten(1)  # (n, pixels) in [-1, 1]
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
