"""Read a real dataset, whatever it is: its samples, their form and labels, and what lies inside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from augsynth.blending.real_form import RealForm, probed
from augsynth.errors import ConfigError, DataError
from augsynth.labels.finding import class_names, find_labels
from augsynth.labels.kinds import Plain, plain_target, targets_of
from augsynth.recognition import check_dataset
from augsynth.structure import Fields


def inspect(
    real: Any, source: Any, fields: Fields | None, fill: Mapping[Any, Any], progress: bool
) -> tuple[RealForm, Tensor | None, Any]:
    """Form of the samples, (n,) class positions or None, and the raw input of sample 0."""
    first = real[0]
    nested = is_blend(real)
    known = real._form.structure if nested and fields is None else None
    structure, spec, raw = probed(first, fields, source, real, known)
    labels, classes = None, None
    if structure.labelled:
        example = structure.y_of(first)
        plain = nested_targets(real) if nested else find_labels(real, structure, plain_target(example), show=progress)
        labels = targets_of(example, plain, class_names(real, structure.y), structure.target)
        classes = labels.indices(plain)
    form = RealForm(structure, spec, labels, fill)
    if source is not None:
        form.check_filled()
    return form, classes, raw


def nested_targets(inner: Any) -> list[Plain]:
    """The labels of a blend that is the real part of another. Raises ConfigError where it cannot tell."""
    try:
        found: list[Plain] = inner.targets
        return found
    except AttributeError as error:
        raise ConfigError(f"the inner dataset cannot tell its labels: {error}") from None


def check_map_style(real: Any) -> None:
    """Raise a DataError unless ``real`` has a length and items."""
    check_dataset(real)
    if not hasattr(real, "__getitem__") or not hasattr(real, "__len__"):
        hint = "; for streams there is SyntheticIterableDataset" if hasattr(real, "__iter__") else ""
        raise DataError(f"real is of type {type(real).__name__}: expected a dataset with len() and []{hint}")
    if len(real) == 0:
        raise DataError("the dataset is empty: there is nothing to blend with")


def positions_of(indices: Sequence[int], length: int) -> Tensor:
    """(n,) int64 positions of n indices, of which negative ones count from the end. Raises IndexError."""
    positions = torch.from_numpy(np.array(indices, dtype=np.int64).reshape(-1))  # a third of the time of as_tensor
    if not len(positions):
        return positions
    low, high = (int(bound) for bound in positions.aminmax())
    if low < -length or high >= length:
        raise IndexError(f"index {low if low < -length else high} is out of range for {length} samples")
    return positions if low >= 0 else torch.where(positions < 0, positions + length, positions)


class Repeated(Dataset[Any]):
    """The first samples of a dataset once more, up to a length."""

    def __init__(self, dataset: Any, length: int) -> None:
        self.dataset, self.length = dataset, length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Any:
        return self.dataset[index % len(self.dataset)]


def read(real: Any, indices: Sequence[int]) -> list[Any]:
    """Real samples, all at once where the dataset can."""
    many = getattr(real, "__getitems__", None)
    return many(indices) if many is not None else [real[i] for i in indices]


def set_inner_epoch(dataset: Any, epoch: int) -> None:
    """Hand the epoch down to blends inside, through ``Subset`` and ``ConcatDataset``."""
    if hasattr(dataset, "set_epoch"):
        dataset.set_epoch(epoch)
        return
    for part in _parts_of(dataset):
        set_inner_epoch(part, epoch)


def has_transform(dataset: Any) -> bool:
    """Whether reading a sample may be random."""
    if is_blend(dataset):
        return False
    own = any(getattr(dataset, name, None) is not None for name in ("transform", "transforms"))
    return own or any(map(has_transform, _parts_of(dataset)))


def is_blend(dataset: Any) -> bool:
    """Whether ``dataset`` is a :class:`SyntheticDataset`."""
    return hasattr(dataset, "_items") and hasattr(dataset, "real_only")


def holds_blend(dataset: Any) -> bool:
    """Whether it is a :class:`SyntheticDataset`, or wraps one."""
    return is_blend(dataset) or any(map(holds_blend, _parts_of(dataset)))


def _parts_of(dataset: Any) -> list[Any]:
    """What ``Subset``, ``ConcatDataset`` and their like wrap."""
    parts = [getattr(dataset, "dataset", None), *(getattr(dataset, "datasets", None) or ())]
    return [part for part in parts if part is not None]
