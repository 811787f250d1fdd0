"""A generator of points."""

import torch

from augsynth.authoring import Generator, noise


class Cloud(Generator):
    def build(self, spec):
        self.register_buffer("mean", torch.zeros(max(1, spec.num_classes), 2))
        self.register_buffer("spread", torch.ones(max(1, spec.num_classes), 2))

    def learn(self, data):
        x, y = data.model_x(), torch.zeros(len(data), dtype=torch.int64) if data.classes is None else data.classes
        for c in range(len(self.mean)):
            self.mean[c], self.spread[c] = x[y == c].mean(0), x[y == c].std(0)

    def draw(self, labels, seeds, *, temperature, truncation):
        c = seeds * 0 if labels is None else labels
        return self.mean[c] + temperature * self.spread[c] * noise(seeds, (2,), truncation=truncation)
