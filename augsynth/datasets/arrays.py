"""A dataset in memory."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils.data import Dataset


class ArrayDataset(Dataset[tuple[Tensor, int]]):
    """Inputs (n, ...) and int labels (n,), with names of the classes."""

    def __init__(self, inputs: Tensor, targets: Sequence[int] | Tensor, classes: Sequence[str]) -> None:
        self.inputs = inputs
        self.targets = [int(target) for target in targets]
        self.classes = list(classes)

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.inputs[index], self.targets[index]

    def subset(self, indices: Tensor) -> ArrayDataset:
        """Some of the samples."""
        return ArrayDataset(self.inputs[indices], torch.tensor(self.targets)[indices], self.classes)
