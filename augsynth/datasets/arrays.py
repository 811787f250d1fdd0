"""A dataset in memory."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils.data import Dataset


class ArrayDataset(Dataset[tuple[Tensor, int]]):
    """Inputs (n, ...) and int labels (n,), with names of the classes.

    Args:
        files: of the inputs, where they come from files.
        unreadable: what was left out as it could not be read: file, and why.
    """

    def __init__(
        self,
        inputs: Tensor,
        targets: Sequence[int] | Tensor,
        classes: Sequence[str],
        *,
        files: Sequence[str] = (),
        unreadable: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.inputs = inputs
        self.files, self.unreadable = list(files), list(unreadable)
        self.targets = [int(target) for target in targets]
        self.classes = list(classes)

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.inputs[index], self.targets[index]

    def as_arrays(self) -> tuple[Tensor, Tensor] | None:
        """Inputs (n, ...) and labels (n,), for those who read many samples at once; None of a subclass, which may do
        more in its ``__getitem__``."""
        return (self.inputs, torch.tensor(self.targets)) if type(self) is ArrayDataset else None

    def subset(self, indices: Tensor) -> ArrayDataset:
        """Some of the samples."""
        files = [self.files[i] for i in indices.tolist()] if self.files else ()
        return ArrayDataset(self.inputs[indices], torch.tensor(self.targets)[indices], self.classes, files=files)


class UnlabelledArrays(Dataset[Tensor]):
    """Inputs (n, ...) alone.

    Args:
        files, unreadable: as of :class:`ArrayDataset`.
    """

    def __init__(
        self, inputs: Tensor, *, files: Sequence[str] = (), unreadable: Sequence[tuple[str, str]] = ()
    ) -> None:
        self.inputs, self.files, self.unreadable = inputs, list(files), list(unreadable)

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: int) -> Tensor:
        return self.inputs[index]
