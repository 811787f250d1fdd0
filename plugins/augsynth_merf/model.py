"""DP-MERF: Harder, Adamczewski & Park, "DP-MERF: differentially private mean embeddings with random features for
practical privacy-preserving data generation", AISTATS 2021."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from augsynth import authoring
from augsynth_merf.embedding import MeanEmbedding

_SUMS = "sums of the embeddings of each class"
_TURNS = 4
_AT_ONCE = 1024  # samples that are embedded in one go


class Targets(nn.Module):
    """What was read of the data: the mean embedding of each class, (classes, length)."""

    means: Tensor

    def __init__(self, classes: int, length: int) -> None:
        super().__init__()
        self.register_buffer("means", torch.zeros(classes, length))


class MERF(authoring.Generator):
    """A network whose samples have, class by class, the mean embedding that the data have.

    The embeddings have unit length, so that a sample moves their sum by 1 at most: with ``privacy=``, noise on the sums
    is all that it takes, however long the network is fitted on them afterwards. Without, the sums are exact.
    """

    modality = "any"
    training_only = ("embedding", "targets")
    embedding: MeanEmbedding
    targets: Targets

    def build(
        self, spec: Any, *, features: int = 4000, latent_dim: int = 16, width: int = 512, lr: float = 8e-3
    ) -> None:
        """
        Args:
            features: length of the embedding. More tell more of the data, and with privacy carry more noise in all.
            latent_dim: size of the noise that a sample is made of.
            width: of the network's layers.
            lr: learning rate of Adam.
        """
        authoring.check_whole(4, features=features)
        authoring.check_whole(latent_dim=latent_dim)
        authoring.check_whole(2, width=width)
        authoring.check_positive(lr=lr)
        self.num_classes, self.latent_dim, self.shape = spec.num_classes, latent_dim, tuple(spec.shape)
        self.embedding = MeanEmbedding(self.shape, features)
        self.targets = Targets(max(self.num_classes, 1), self.embedding.length)
        self.network = nn.Sequential(
            nn.Linear(latent_dim + self.num_classes, width // 2),
            nn.LayerNorm(width // 2),
            nn.SiLU(),
            nn.Linear(width // 2, width),
            nn.LayerNorm(width),
            nn.SiLU(),
            nn.Linear(width, math.prod(self.shape)),
        )

    def release(self, data: Any, mechanism: Any) -> None:
        """Read, through the mechanism, the sums (classes, length) of the embeddings of each class."""
        sums = torch.zeros_like(self.targets.means, dtype=torch.float64)
        classes = torch.zeros(len(data), dtype=torch.int64) if data.classes is None else data.classes
        for start in range(0, len(data), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            made = self.embedding(data.model_x(part).to(self.device)).double()
            sums.index_add_(0, classes[part].to(self.device), made)
        noisy = mechanism.release({_SUMS: sums}, {_SUMS: 1.0})[_SUMS]
        counts = torch.tensor([float(len(data))]) if mechanism.counts is None else mechanism.counts.float()
        self.targets.means.copy_(noisy / counts.view(-1, 1))

    def training_step(self, batch: authoring.TrainingBatch) -> Mapping[str, Tensor]:
        groups = max(self.num_classes, 1)
        seeds, classes = batch.of_each_class(groups)
        each = len(seeds) // groups
        z = authoring.noise(seeds, (self.latent_dim,))
        x = self._generated(z, classes if self.num_classes else None)
        # a quarter of one kind of features a step: four times as many steps in the time, and the same in the mean
        turn = batch.step // self.embedding.parts % _TURNS
        made, columns = self.embedding.some(x, batch.step % self.embedding.parts, (turn, _TURNS))
        wanted = self.targets.means[:, columns] * (self.embedding.length / len(columns)) ** 0.5
        means = made.view(groups, each, -1).mean(1)  # (classes, d)
        # features have unit length, so that this factor takes the bias of few samples from the squared norm
        distance = each / (each - 1) * means.square().sum(1) - 2 * (means * wanted).sum(1)
        return {"loss": (distance + wanted.square().sum(1)).mean()}

    def draw(self, labels: Tensor | None, seeds: Tensor, *, temperature: float, truncation: float | None) -> Tensor:
        z = authoring.noise(seeds, (self.latent_dim,), truncation=truncation) * temperature
        return self._generated(z, labels)

    def _generated(self, z: Tensor, classes: Tensor | None) -> Tensor:
        given = z if classes is None else torch.cat([z, nn.functional.one_hot(classes, self.num_classes).float()], 1)
        made: Tensor = torch.tanh(self.network(given)).view(-1, *self.shape)
        return made

    @classmethod
    def presets(cls, spec: Any, n: int) -> dict[str, Any]:
        return {"steps": 1500, "batch_size": 300}

    @classmethod
    def search_space(cls) -> authoring.SearchSpace:
        return {"lr": authoring.FloatRange(1e-3, 1e-2, log=True), "latent_dim": authoring.IntRange(4, 64, log=True)}
