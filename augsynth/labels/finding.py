"""Find the labels of a dataset without decoding its images, where it keeps them apart."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import ConcatDataset, Subset, TensorDataset

from augsynth._progress import progress_bar
from augsynth.errors import DataError
from augsynth.labels.kinds import Plain, plain_target
from augsynth.structure import Structure

_scanned: weakref.WeakKeyDictionary[Any, list[Plain]] = weakref.WeakKeyDictionary()


def find_labels(dataset: Any, structure: Structure, first: Plain, *, show: bool = True) -> list[Plain]:
    """The label of every sample.

    Looked for in the attributes ``targets``, ``labels`` and ``samples``, through ``Subset`` and ``ConcatDataset``, in
    the tensors of a ``TensorDataset`` and the columns of a Hugging Face dataset. What is found must agree with the
    first sample; else the dataset is read once, with a progress bar, and the result is kept for next time.

    Args:
        dataset: map-style.
        structure: where the label is in a sample.
        first: the label of sample 0.
        show: show a progress bar on a terminal.

    Raises:
        DataError: a target is not understood, or a sample cannot be read.
    """
    known = _declared(dataset, structure)
    if known is not None and len(known) == len(dataset) and known[0] == first and type(known[0]) is type(first):
        return known
    try:
        if dataset in _scanned:
            return _scanned[dataset]
    except TypeError:
        pass  # not hashable, or not weakly referable
    labels = _scan(dataset, structure, show)
    with suppress(TypeError):
        _scanned[dataset] = labels
    return labels


def class_names(dataset: Any, label_field: Any = None) -> list[str] | None:
    """The names of the classes: ``classes``, looked for through ``Subset`` and its like, or those of the column
    ``label_field`` of a Hugging Face dataset."""
    seen = dataset
    while seen is not None:
        names = getattr(seen, "classes", None)
        if isinstance(names, (list, tuple)):
            return list(names)
        if hasattr(seen, "column_names") and isinstance(getattr(seen, "features", None), Mapping):
            return getattr(seen.features.get(label_field), "names", None)
        seen = getattr(seen, "dataset", None)
    return None


def _declared(dataset: Any, structure: Structure) -> list[Plain] | None:
    if isinstance(dataset, Subset):
        inner = _declared(dataset.dataset, structure)
        return None if inner is None else [inner[i] for i in dataset.indices]
    if isinstance(dataset, ConcatDataset):
        parts = [_declared(part, structure) for part in dataset.datasets]
        return None if any(part is None for part in parts) else [label for part in parts for label in part or ()]
    if isinstance(dataset, TensorDataset) and isinstance(structure.y, int):
        return _plain(dataset.tensors[structure.y])
    if hasattr(dataset, "column_names") and hasattr(dataset, "with_format"):
        return _plain(list(dataset.with_format(None)[structure.y]))  # Hugging Face: one column, nothing is decoded
    transform = getattr(dataset, "target_transform", None)
    for attribute in ("targets", "labels"):
        labels = _plain(getattr(dataset, attribute, None), transform)
        if labels is not None:
            return labels
    samples = getattr(dataset, "samples", None)
    if isinstance(samples, list) and samples and isinstance(samples[0], tuple) and len(samples[0]) == 2:
        return _plain([target for _, target in samples], transform)
    return None


def _plain(labels: Any, transform: Any = None) -> list[Plain] | None:
    if isinstance(labels, (Tensor, np.ndarray)):
        labels = labels.tolist() if labels.ndim in (1, 2) else None
    if not isinstance(labels, Sequence) or isinstance(labels, str) or not labels:
        return None
    try:
        return [plain_target(transform(label) if transform is not None else label) for label in labels]
    except DataError:
        return None


def _scan(dataset: Any, structure: Structure, show: bool) -> list[Plain]:
    labels = []
    with progress_bar("reading labels", len(dataset), show=show) as bar:
        for index in range(len(dataset)):
            try:
                labels.append(plain_target(structure.y_of(dataset[index])))
            except DataError as error:
                raise DataError(f"sample {index}: {error}") from None
            bar.advance()
    return labels
