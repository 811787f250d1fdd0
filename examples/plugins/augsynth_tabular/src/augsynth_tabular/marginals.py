"""Rows from noisy counts of pairs of values: private tables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

import augsynth
from augsynth import authoring
from augsynth_tabular.grid import Grid

_COUNTS = "how many rows of each class have a value, and a pair of values of two columns"
_AT_ONCE = 2048
_CELLS, _PLACES = 1, 2  # streams of the noise
_WIDEST = 2000  # cells


class Targets(nn.Module):
    """What was read of the data: of each class, the share of rows that have each value and pair, (classes, k)."""

    shares: Tensor

    def __init__(self, classes: int, k: int) -> None:
        super().__init__()
        self.register_buffer("shares", torch.zeros(classes, k))


class Marginals(authoring.Generator):
    """A network whose rows have, class by class, the one-way and two-way marginals that the data have.

    With ``privacy=``, the counts get noise once, and the network is fitted on those: as of GEM (Liu, Vietri & Wu,
    "Iterative methods for private synthetic data: unifying framework and new methods", NeurIPS 2021), with all pairs of
    columns measured at once in place of some in rounds. Tables that keep marginals are what private learning makes best
    (Tao et al., "Benchmarking differentially private synthetic data generation algorithms", 2021).
    """

    modality = "tabular"
    training_only = ("targets",)
    targets: Targets

    def build(self, spec: Any, *, bins: int = 10, latent_dim: int = 32, width: int = 256, lr: float = 2e-3) -> None:
        """
        Args:
            bins: cells of a column of numbers or dates, of equal width between its bounds; within one, rows are spread
                evenly. More are finer, and each holds fewer rows for the same noise.
            latent_dim: size of the noise that a row is made of.
            width: of the network's layers.
            lr: learning rate of Adam.
        """
        if bins < 2:
            raise augsynth.ConfigError(f"bins={bins!r}: expected 2 or more")
        self.grid = Grid(spec.columns, bins)
        if self.grid.width > _WIDEST:
            raise augsynth.DataError(
                f"{self.grid.width} values in {len(spec.columns)} columns: at most {_WIDEST} can be counted in pairs; "
                "take fewer bins, or leave out columns of many categories"
            )
        self.num_classes, self.latent_dim = spec.num_classes, latent_dim
        first, second = self.grid.pairs()
        self.register_buffer("first", first, persistent=False)
        self.register_buffer("second", second, persistent=False)
        self.targets = Targets(max(self.num_classes, 1), len(first))
        self.network = nn.Sequential(
            nn.Linear(latent_dim + self.num_classes, width),
            nn.LayerNorm(width),
            nn.SiLU(),
            nn.Linear(width, width),
            nn.LayerNorm(width),
            nn.SiLU(),
            nn.Linear(width, self.grid.width),
        )

    def release(self, data: Any, mechanism: Any) -> None:
        """Read, through the mechanism, the counts (classes, k). A row adds 1 to one cell of each column, and to one of
        each pair of columns."""
        counted = torch.zeros_like(self.targets.shares, dtype=torch.float64)
        classes = torch.zeros(len(data), dtype=torch.int64) if data.classes is None else data.classes
        for group in range(len(counted)):
            chosen = (classes == group).nonzero()[:, 0]
            for part in chosen.split(_AT_ONCE):
                rows = [data.raw[i] for i in part.tolist()]
                ones = nn.functional.one_hot(self.grid.encoded(rows), self.grid.width).sum(1).double()  # (n, width)
                counted[group] += (ones.T @ ones).to(counted.device)[self.first, self.second]
        columns = len(self.grid.columns)
        most = math.sqrt(columns * (columns + 1) / 2)
        noisy = mechanism.release({_COUNTS: counted}, {_COUNTS: most})[_COUNTS].to(counted.device)
        counts = torch.tensor([float(len(data))]) if mechanism.counts is None else mechanism.counts.float()
        self.targets.shares.copy_(noisy / counts.view(-1, 1).to(noisy.device))

    def training_step(self, batch: authoring.TrainingBatch) -> Mapping[str, Tensor]:
        groups = max(self.num_classes, 1)
        seeds, classes = batch.of_each_class(groups)
        p = self._probabilities(self._scores(seeds, classes if self.num_classes else None, None))
        p = p.view(groups, len(seeds) // groups, -1)
        made = p.transpose(1, 2) @ p / p.shape[1]  # (classes, width, width)
        made = made[:, self.first, self.second]
        own = self.first == self.second  # of one cell, the mean is wanted and not that of the square
        made = torch.where(own, p.mean(1)[:, self.first], made)
        return {"loss": (made - self.targets.shares).square().sum(1).mean()}

    def draw(self, labels: Tensor | None, seeds: Tensor, *, temperature: float, truncation: float | None) -> Any:
        scores = self._scores(seeds, labels, truncation) / max(temperature, 1e-3)
        picks = authoring.uniform(seeds, (len(self.grid.sizes),), stream=_CELLS).to(scores.device)
        places = authoring.uniform(seeds, (len(self.grid.sizes),), stream=_PLACES).tolist()
        cells = []
        for i, (start, part) in enumerate(zip(self.grid.starts, scores.split(self.grid.sizes, 1), strict=True)):
            edges = part.softmax(1).cumsum(1)
            cells.append(start + (edges < picks[:, i : i + 1]).sum(1).clamp(max=part.shape[1] - 1))
        chosen = torch.stack(cells, 1).tolist()
        return authoring.Items(self.grid.row(*one) for one in zip(chosen, places, strict=True))

    def _scores(self, seeds: Tensor, classes: Tensor | None, truncation: float | None) -> Tensor:
        """(n, width) logits, column after column."""
        z = authoring.noise(seeds, (self.latent_dim,), truncation=truncation)
        if self.num_classes and classes is not None:
            z = torch.cat([z, nn.functional.one_hot(classes, self.num_classes).to(z)], 1)
        made: Tensor = self.network(z)
        return made

    def _probabilities(self, scores: Tensor) -> Tensor:
        return torch.cat([one.softmax(1) for one in scores.split(self.grid.sizes, 1)], 1)

    @classmethod
    def presets(cls, spec: Any, n: int) -> dict[str, Any]:
        return {"steps": 2000, "batch_size": 500}

    @classmethod
    def search_space(cls) -> authoring.SearchSpace:
        return {"bins": authoring.IntRange(4, 32, log=True), "lr": authoring.FloatRange(5e-4, 5e-3, log=True)}
