"""Batches that stay batches: samples of array-backed datasets as arrays, taken apart only where somebody looks."""

from __future__ import annotations

from collections import UserList
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Subset, TensorDataset, default_collate, get_worker_info

from augsynth._gather import gathered, scattered
from augsynth.labels.kinds import Targets
from augsynth.structure import Structure

_PAIR = Structure("tuple", 0, 1, (), 2)
_LARGE = 2**14  # bytes of a sample, from which on a view of it is cheaper than a copy


@dataclass(frozen=True)
class Columns:
    """All inputs and labels of a dataset, for reading many samples by one index operation.

    Args:
        inputs: (n, ...).
        targets: (n,).
        rows: (m,) which of them the dataset has, or None for all.
        whole: whether the dataset yields labels as ints, rather than tensors.
    """

    inputs: Tensor
    targets: Tensor
    rows: Tensor | None
    whole: bool

    @classmethod
    def of(cls, dataset: Any, structure: Structure, labels: Targets | None) -> Columns | None:
        """Those of ``dataset``, or None where it is of another kind: subclasses may do anything in ``__getitem__``.

        A dataset of one's own may have ``as_arrays()``, which returns inputs (n, ...) and labels (n,) as tensors, where
        sample i is ``(inputs[i], int(labels[i]))``; or None.
        """
        if structure != _PAIR or labels is None or not labels.categorical:
            return None
        if type(dataset) is Subset:
            inner = cls.of(dataset.dataset, structure, labels)
            if inner is None:
                return None
            chosen, n = torch.as_tensor(list(dataset.indices), dtype=torch.int64), len(dataset.dataset)  # type: ignore[arg-type]
            if bool(((chosen < -n) | (chosen >= n)).any()):
                return None  # the error is that of the dataset
            chosen = torch.where(chosen < 0, chosen + n, chosen)
            return cls(inner.inputs, inner.targets, inner.at(chosen), inner.whole)
        whole = type(dataset) is not TensorDataset
        arrays = getattr(dataset, "as_arrays", lambda: None)() if whole else dataset.tensors
        if arrays is None or len(arrays) != 2:
            return None
        inputs, targets = arrays
        on_cpu = inputs.device.type == "cpu" == targets.device.type
        sound = targets.ndim == 1 and len(inputs) == len(targets) == len(dataset)
        return cls(inputs, targets, None, whole) if on_cpu and sound else None

    def at(self, positions: Tensor) -> Tensor:
        """(k,) rows of the arrays, of k positions in the dataset."""
        return positions if self.rows is None else self.rows.index_select(0, positions)

    def takes(self, x: Tensor, y: Any) -> bool:
        """Whether synthetic inputs (m, ...) and labels (m,) are of the same form."""
        return (
            isinstance(y, Tensor)
            and (x.shape[1:], x.dtype) == (self.inputs.shape[1:], self.inputs.dtype)
            and (y.shape[1:], y.dtype) == (self.targets.shape[1:], self.targets.dtype)
        )


class StackedSamples(UserList[Any]):
    """n samples ``(x, y)``, real ones out of arrays and synthetic ones among them, which are made when they are asked
    for. It is what a ``collate_fn`` gets in place of a list of samples, and behaves like one in all that lists can.

    Args:
        samples: samples, as of a list; or
        columns: the arrays that real samples are in, with
        rows: (k,) of them, and
        at: (k,) where they come; None for all, in order.
        made: inputs (m, ...) and labels (m,) of the synthetic ones, and (m,) where they come.
    """

    def __init__(
        self,
        samples: Iterable[Any] | None = None,
        *,
        columns: Columns | None = None,
        rows: Tensor | None = None,
        at: Tensor | None = None,
        made: tuple[Tensor, Tensor, Tensor] | None = None,
    ) -> None:
        self._parts = None if columns is None or rows is None else (columns, rows, at, made)
        self._samples = list(samples or ())

    @property
    def data(self) -> list[Any]:
        """The samples. From here on they may have been changed, and the arrays count for nothing."""
        if self._parts is not None:
            columns, rows, at, made = self._parts
            whole = columns.whole
            views = columns.inputs[0].nbytes >= _LARGE
            x = [columns.inputs[i] for i in rows.tolist()] if views else gathered(columns.inputs, rows).unbind()
            real = list(zip(x, _labels(columns.targets.index_select(0, rows), whole), strict=True))
            if at is None or made is None:
                self._samples = real
            else:
                self._samples = [None] * len(self)
                synthetic = zip(made[0].unbind(), _labels(made[1], whole), strict=True)
                for places, own in ((at, real), (made[2], synthetic)):
                    for i, sample in zip(places.tolist(), own, strict=True):
                        self._samples[i] = sample
            self._parts = None
        return self._samples

    @data.setter
    def data(self, samples: list[Any]) -> None:
        self._samples, self._parts = samples, None

    def stacked(self, *, shared: bool = False, pinned: bool = False) -> list[Tensor] | None:
        """Inputs (n, ...) and labels (n,), None once somebody has looked at the samples.

        Args:
            shared: in shared memory, for another process. None of large samples: that memory costs most to write, and
                ``default_collate`` writes it once.
            pinned: in page-locked memory, which a GPU reads without a copy in between.
        """
        if self._parts is None or (shared and self._parts[0].inputs[0].nbytes >= _LARGE):
            return None
        columns, rows, at, made = self._parts
        everywhere = rows
        if at is not None:
            everywhere = torch.zeros(len(self), dtype=torch.int64)
            everywhere[at] = rows
        found = []
        for i, array in enumerate((columns.inputs, columns.targets)):
            out = (_pinned if pinned else torch.empty)((len(self), *array.shape[1:]), dtype=array.dtype)
            if shared:
                out = out.share_memory_()
            # a row too many is written where a synthetic one comes: memory is touched once, and not for a part as well
            gathered(array, everywhere, out)
            if made is not None:
                scattered(out, made[2], made[i])
            found.append(out)
        return found

    def __copy__(self) -> StackedSamples:
        return StackedSamples(self.data)

    def __reduce__(self) -> tuple[Any, ...]:
        return StackedSamples, (self.data,)  # the samples, and not the arrays that they are from

    def __len__(self) -> int:
        if self._parts is None:
            return len(self._samples)
        return len(self._parts[1]) + (0 if self._parts[3] is None else len(self._parts[3][2]))

    def __getitem__(self, index: Any) -> Any:
        return self.data[index]


def collate(batch: Sequence[Any], *, pin_memory: bool = False) -> Any:
    """A ``collate_fn`` for a stock ``DataLoader`` that gives what torch's ``default_collate`` gives, faster.

    The samples that a :class:`SyntheticDataset` over arrays hands out (``TensorDataset``, arrays that
    :func:`augsynth.open_dataset` reads, subsets of both, anything with ``as_arrays()``) are taken as arrays, without
    making a sample of each. Everything else goes to ``default_collate``.

    Args:
        batch: n samples.
        pin_memory: write such a batch into pinned memory straight away, which saves a ``DataLoader(pin_memory=True)``
            without workers the copy there. Nothing changes where there is no CUDA device, in a worker process, which
            hands batches on in shared memory, and for what goes to ``default_collate``.

    Returns:
        As ``default_collate``: of samples ``(x, y)`` a list of a tensor (n, ...) and a tensor (n,).
    """
    if not isinstance(batch, StackedSamples):
        return default_collate(batch)  # type: ignore[arg-type]
    in_worker = get_worker_info() is not None
    found = batch.stacked(shared=in_worker, pinned=pin_memory and not in_worker and torch.cuda.is_available())
    return default_collate(batch) if found is None else found  # type: ignore[arg-type]


def _pinned(shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    return torch.empty(shape, dtype=dtype, pin_memory=True)


def _labels(targets: Tensor, whole: bool) -> Sequence[Any]:
    return targets.tolist() if whole else targets.unbind()
