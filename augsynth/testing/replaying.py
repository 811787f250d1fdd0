"""The smallest generators there are: what the suite fits where a plugin of another kind needs one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from augsynth.generator.authored import TrainingBatch
from augsynth.generator.generator import Generator
from augsynth.seeding import uniform


class Replay(Generator):
    """Keeps the samples that it is fitted on, of any kind, and hands them out again."""

    anchor: Tensor

    def build(self, spec: Any) -> None:
        self.register_buffer("anchor", torch.zeros(1))  # by which it has a device

    def learn(self, data: Any) -> None:
        self.kept, self.classes = data.model_x(), data.classes

    def draw(self, labels: Tensor | None, seeds: Tensor, *, temperature: float, truncation: float | None) -> Any:
        share, rows = uniform(seeds).cpu(), []
        for i in range(len(seeds)):
            own = torch.arange(len(self.kept))
            if labels is not None and self.classes is not None:
                own = own[self.classes == labels[i]]
            rows.append(int(own[int(share[i] * len(own))]))
        return self.kept[torch.tensor(rows)]


class Means(Generator):
    """Learns the mean of each class by gradient steps."""

    def build(self, spec: Any) -> None:
        self.mean = torch.nn.Parameter(torch.zeros(max(1, spec.num_classes), *spec.shape))

    def training_step(self, batch: TrainingBatch) -> Mapping[str, Tensor]:
        return {"loss": (batch.x - self._of(batch.y, batch.seeds)).square().mean()}

    def draw(self, labels: Tensor | None, seeds: Tensor, *, temperature: float, truncation: float | None) -> Any:
        noise = uniform(seeds).reshape(-1, *[1] * len(self.spec.shape)).to(self.mean)
        return self._of(labels, seeds) + 0.1 * temperature * noise

    def _of(self, labels: Tensor | None, seeds: Tensor) -> Tensor:
        return self.mean[seeds * 0 if labels is None else labels]
