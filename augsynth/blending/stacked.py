"""Batches that stay batches: samples of array-backed datasets as arrays, taken apart only where somebody looks."""

from __future__ import annotations

from collections import UserList
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Subset, TensorDataset, default_collate, get_worker_info
from torch.utils.data._utils import collate as torch_collate

from augsynth._gather import copied, gathered, scattered
from augsynth._memory import Memory, pinned, plain, shared
from augsynth.labels.kinds import Targets
from augsynth.structure import Structure

_PAIR = Structure("tuple", 0, 1, (), 2)
_LARGE = 2**14  # bytes of a sample, from which on a view of it is cheaper than a copy


@dataclass
class Taken:
    """What memory the last batch of a dataset was collated into, which the next one is read into; None where somebody
    looked at its samples. It tells on time, and on no value."""

    memory: Memory | None = None


@dataclass(frozen=True)
class Columns:
    """All inputs and labels of a dataset, for reading many samples by one index operation.

    Args:
        inputs: (n, ...).
        targets: (n,).
        rows: (m,) which of them the dataset has, or None for all.
        whole: whether the dataset yields labels as ints, rather than tensors.
        taken: how its batches are collated.
    """

    inputs: Tensor
    targets: Tensor
    rows: Tensor | None
    whole: bool
    taken: Taken = field(default_factory=Taken)

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

    @property
    def large(self) -> bool:
        """Whether a sample is large enough to be copied by itself."""
        return self.inputs[0].nbytes >= _LARGE

    def room(self, n: int) -> Tensor | None:
        """(n, ...) for the inputs of a batch, not written yet; None where somebody looked at those of the last one."""
        memory = self.taken.memory
        if memory is None:
            return None
        return _room(self.inputs, n, memory)

    def takes(self, x: Tensor, y: Any) -> bool:
        """Whether synthetic inputs (m, ...) and labels (m,) are of the same form."""
        return (
            isinstance(y, Tensor)
            and (x.shape[1:], x.dtype) == (self.inputs.shape[1:], self.inputs.dtype)
            and (y.shape[1:], y.dtype) == (self.targets.shape[1:], self.targets.dtype)
        )


@dataclass
class Made:
    """The synthetic samples of a batch of n.

    Args:
        y: (m,) labels.
        at: (m,) where they come, ascending.
        draw: their inputs (m, ...).
        room: (n, ...) inputs of the whole batch, into which theirs were written already, until somebody takes it.
    """

    y: Tensor
    at: Tensor
    draw: Callable[[], Any]
    room: Tensor | None = None

    def inputs(self) -> Sequence[Tensor]:
        """Those of the m, each a view."""
        return self.draw().unbind() if self.room is None else [self.room[i] for i in self.at.tolist()]

    def take_room(self) -> Tensor | None:
        """The room, which is the taker's from now on, who may change what is in it."""
        room, self.room = self.room, None
        return room


class Pair(NamedTuple):
    """The first sample of a batch of arrays. By its type ``default_collate`` knows that there are arrays to take."""

    x: Tensor
    y: Any


class StackedSamples(UserList[Any]):
    """n samples ``(x, y)``, real ones out of arrays and synthetic ones among them, which are made when they are asked
    for. It is what a ``collate_fn`` gets in place of a list of samples, and behaves like one in all that lists can.

    ``samples[0]``, and nothing else, is a :class:`Pair` as long as nobody looked at another sample.

    Args:
        samples: samples, as of a list; or
        columns: the arrays that real samples are in, with
        rows: (k,) of them, and
        at: (k,) where they come, ascending; None for all, in order.
        made: the synthetic ones.
    """

    def __init__(
        self,
        samples: Iterable[Any] | None = None,
        *,
        columns: Columns | None = None,
        rows: Tensor | None = None,
        at: Tensor | None = None,
        made: Made | None = None,
    ) -> None:
        self._parts = None if columns is None or rows is None else (columns, rows, at, made)
        self._samples = list(samples or ())
        self._first: Pair | None = None

    @property
    def data(self) -> list[Any]:
        """The samples. From here on they may have been changed, and the arrays count for nothing."""
        if self._parts is not None:
            columns, rows, at, made = self._parts
            columns.taken.memory = None
            whole = columns.whole
            views = columns.large
            x = [columns.inputs[i] for i in rows.tolist()] if views else gathered(columns.inputs, rows).unbind()
            real = list(zip(x, _labels(columns.targets.index_select(0, rows), whole), strict=True))
            if at is None or made is None:
                self._samples = real
            else:
                self._samples = [None] * len(self)
                synthetic = zip(made.inputs(), _labels(made.y, whole), strict=True)
                for places, own in ((at, real), (made.at, synthetic)):
                    for i, sample in zip(places.tolist(), own, strict=True):
                        self._samples[i] = sample
            if self._first is not None:
                self._samples[0] = tuple(self._first)
            self._parts = None
        return self._samples

    @data.setter
    def data(self, samples: list[Any]) -> None:
        self._samples, self._parts = samples, None

    def stacked(self, memory: Memory = plain) -> list[Tensor] | None:
        """Inputs (n, ...) and labels (n,), None once somebody has looked at samples beyond the first.

        Args:
            memory: makes that of the result, where this is no worker process, which takes shared memory.
        """
        if self._parts is None:
            return None
        columns, rows, at, made = self._parts
        first = self._first
        if first is not None and (first.x.shape, torch.as_tensor(first.y).ndim) != (columns.inputs.shape[1:], 0):
            return None  # somebody changed its form: the error is that of ``default_collate``
        columns.taken.memory = memory
        everywhere = rows
        if at is not None:
            everywhere = torch.zeros(len(self), dtype=torch.int64)
            everywhere[at] = rows
        if made is not None and at is not None and columns.large:
            x = made.take_room()
            if x is None:
                x = _room(columns.inputs, len(self), memory)
                scattered(x, made.at, made.draw())
            copied(columns.inputs, rows, x, at)
        else:
            x = _merged(columns.inputs, everywhere, memory, None if made is None else (made.at, made.draw()))
        y = _merged(columns.targets, everywhere, memory, None if made is None else (made.at, made.y))
        if first is not None:  # it may have been changed
            x[0], y[0] = first
        return [x, y]

    def _looked_at(self) -> Pair:
        """The first sample, by itself: it is what ``default_collate`` looks at before it takes the arrays."""
        if self._first is None:
            columns, rows, at, made = self._parts  # type: ignore[misc]
            if made is None or (at is not None and len(at) and at[0] == 0):
                x, y = columns.inputs[rows[0]], columns.targets[rows[0]]
            else:
                x, y = made.draw()[0] if made.room is None else made.room[0], made.y[0]
            self._first = Pair(x.clone(), y.item() if columns.whole else y.clone())
        return self._first

    def __copy__(self) -> StackedSamples:
        return StackedSamples(self.data)

    def __reduce__(self) -> tuple[Any, ...]:
        return StackedSamples, (self.data,)  # the samples, and not the arrays that they are from

    def __len__(self) -> int:
        if self._parts is None:
            return len(self._samples)
        return len(self._parts[1]) + (0 if self._parts[3] is None else len(self._parts[3].at))

    def __getitem__(self, index: Any) -> Any:
        if self._parts is not None and type(index) is int and index == 0 and len(self):
            return self._looked_at()
        return self.data[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.data)


def collate(batch: Sequence[Any], *, pin_memory: bool = False) -> Any:
    """A ``collate_fn`` for a stock ``DataLoader`` that gives what torch's ``default_collate`` gives.

    The samples that a :class:`SyntheticDataset` over arrays hands out (``TensorDataset``, arrays that
    :func:`augsynth.open_dataset` reads, subsets of both, anything with ``as_arrays()``) are taken as arrays, without
    making a sample of each. So are they by ``default_collate`` itself; what this one adds is pinned memory. Everything
    else goes to ``default_collate``.

    Args:
        batch: n samples.
        pin_memory: write such a batch into pinned memory straight away, which saves a ``DataLoader(pin_memory=True)``
            without workers the copy there. Nothing changes where there is no CUDA device, in a worker process, which
            hands batches on in shared memory, and for what goes to ``default_collate``.

    Returns:
        As ``default_collate``: of samples ``(x, y)`` a list of a tensor (n, ...) and a tensor (n,).
    """
    found = None
    if isinstance(batch, StackedSamples):
        found = batch.stacked(pinned if pin_memory and torch.cuda.is_available() else plain)
    return default_collate(batch) if found is None else found  # type: ignore[arg-type]


def _taken_as_arrays(batch: Sequence[Any], *, collate_fn_map: Any = None) -> Any:
    """What ``default_collate`` makes of samples the first of which is a :class:`Pair`."""
    found = batch.stacked() if isinstance(batch, StackedSamples) else None
    if found is None:
        found = torch_collate.collate([tuple(sample) for sample in batch], collate_fn_map=collate_fn_map)
    return found


# the way that torch documents for types of one's own
torch_collate.default_collate_fn_map[Pair] = _taken_as_arrays


def _room(array: Tensor, n: int, memory: Memory) -> Tensor:
    """(n, ...) for rows of ``array``, not written yet: in ``memory``, but in a worker process in shared memory."""
    own = memory if get_worker_info() is None else shared
    return own((n, *array.shape[1:]), array.dtype)


def _merged(array: Tensor, rows: Tensor, memory: Memory, made: tuple[Tensor, Tensor] | None) -> Tensor:
    """``array[rows]``, and in the places (m,) that were made what was made (m, ...)."""
    out = _room(array, len(rows), memory)
    # a row too many is written where a synthetic one comes: memory is touched once, and not for a part as well
    gathered(array, rows, out)
    if made is not None:
        scattered(out, *made)
    return out


def _labels(targets: Tensor, whole: bool) -> Sequence[Any]:
    return targets.tolist() if whole else targets.unbind()
