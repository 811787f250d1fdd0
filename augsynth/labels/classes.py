"""The classes of a dataset: their values, names and counts, and the form in which a label is yielded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from augsynth._names import did_you_mean
from augsynth._one_or_many import check_in_order, is_one
from augsynth.errors import DataError, UnknownLabelError
from augsynth.labels.frequencies import drawn_by_counts

Label = int | str | bool
_PLAIN = {bool, int, str}


def plain_label(label: Any) -> Label:
    """A label as a plain int, bool or str.

    Raises:
        DataError: it is not a class label (a float, a vector, ...).
    """
    if isinstance(label, (bool, int, str)):
        return plain_scalar(label)
    if isinstance(label, (np.generic, np.ndarray, Tensor)) and int(np.prod(label.shape)) == 1:
        value = label.item()
        if isinstance(value, (bool, int, str)):
            return value
    raise DataError(
        f"label {told(label)}: expected a class label, that is an int, a str, or a tensor or array holding one int. "
        "For data whose target is no class, pass fields with y=None"
    )


def plain_scalar(value: Any) -> Any:
    """A bool, int, str or float without a type of its own, such as that of NumPy or of an enumeration."""
    if type(value) in _PLAIN:
        return value
    return str.__str__(value) if isinstance(value, str) else int(value) if isinstance(value, int) else float(value)


def told(label: Any) -> str:
    """A label in few words, whatever it is."""
    shape = getattr(label, "shape", None)
    if shape is not None and int(np.prod(shape)) > 4:
        return f"of type {type(label).__name__}, shape {tuple(shape)} and dtype {label.dtype}"
    text = repr(label)
    return f"{text if len(text) <= 80 else text[:77] + '...'} of type {type(label).__name__}"


@dataclass(frozen=True)
class LabelSpec:
    """The classes of a dataset.

    Args:
        form: type of a yielded label: ``"int"``, ``"bool"``, ``"str"``, ``"tensor"`` or ``"numpy"``.
        dtype: dtype name for tensors and arrays, else None.
        shape: ``()`` or ``(1,)`` for tensors and arrays.
        values: the distinct labels, sorted.
        names: a name for each value, or None.
        counts: number of real samples of each value.
    """

    form: str
    dtype: str | None
    shape: tuple[int, ...]
    values: tuple[Label, ...]
    names: tuple[str, ...] | None
    counts: tuple[int, ...]

    kind: ClassVar[str] = "class"
    categorical: ClassVar[bool] = True

    @classmethod
    def of(cls, example: Any, labels: Iterable[Label], classes: Sequence[str] | None = None) -> LabelSpec:
        """From one yielded label, all plain labels, and the dataset's ``classes`` if it has them."""
        counted = Counter(labels)
        if len({type(value) for value in counted}) > 1:
            kinds = sorted({type(value).__name__ for value in counted})
            raise DataError(f"labels are of several types: {', '.join(kinds)}; use one")
        values = tuple(sorted(counted))
        names = None
        if classes is not None and all(type(v) is int and 0 <= v < len(classes) for v in values):
            names = tuple(str(classes[int(value)]) for value in values)
            if len(set(names)) < len(names):
                names = None
        form, dtype, shape = _form_of(example)
        return cls(form, dtype, shape, values, names, tuple(counted[value] for value in values))

    def __len__(self) -> int:
        return len(self.values)

    def display(self, index: int) -> str:
        """The name of class ``index`` for people."""
        at = int(index)
        return self.names[at] if self.names else str(self.values[at])

    @property
    def displayed(self) -> list[str]:
        return [self.display(i) for i in range(len(self))]

    @property
    def described(self) -> str:
        """All classes, for a model card."""
        return ", ".join(self.displayed)

    def examples(self, n: int) -> list[Any]:
        """At most n labels to show samples of."""
        return list(self.values[:n])

    def index(self, label: Any) -> int:
        """Position of the class ``label``, given as value or name.

        Raises:
            UnknownLabelError: there is no such class; lists those there are.
        """
        try:
            plain = plain_label(label)
        except DataError:
            plain = repr(label)
        for candidates in (self.values, self.names or (), tuple(map(str, self.values))):
            for i, candidate in enumerate(candidates):
                if type(candidate) is type(plain) and candidate == plain:
                    return i
        known = self.displayed
        hint = did_you_mean(str(plain), known)
        if self.names:
            known = [f"{value} ({name})" for value, name in zip(self.values, self.names, strict=True)]
        raise UnknownLabelError(
            f"there is no class {label!r}{f'; {hint}' if hint else '.'} The classes are: {', '.join(map(str, known))}"
        )

    def __contains__(self, label: Any) -> bool:
        try:
            self.index(label)
        except UnknownLabelError:
            return False
        return True

    def indices(self, labels: Iterable[Any]) -> Tensor:
        """(n,) int64 positions of n labels. Raises as :meth:`index`."""
        if isinstance(labels, Tensor) and labels.dtype == torch.int64 and type(self.values[0]) is int:
            found = torch.searchsorted(self._integers, labels).clamp(max=len(self) - 1)
            if torch.equal(self._integers[found], labels):
                return found  # else one is unknown; below, the error says which
        several = labels.tolist() if isinstance(labels, (Tensor, np.ndarray)) else labels
        plain = [label if type(label) in _PLAIN else plain_label(label) for label in several]
        known = {label: self.index(label) for label in dict.fromkeys(plain)}
        return torch.tensor([known[label] for label in plain], dtype=torch.int64)

    def requested(self, labels: Any, n: int) -> Tensor:
        """What a generator is asked for: (n,) int64 positions of one label for all, or of as many as are given. Raises
        as :meth:`index`."""
        return self.indices(labels) if self.several(labels) else torch.full((n,), self.index(labels))

    def drawn(self, seeds: Tensor) -> Tensor:
        """(n,) int64 positions, as frequent as the real samples have them, by seeds (n,)."""
        return drawn_by_counts(self.counts, seeds)

    def several(self, labels: Any) -> bool:
        """Whether ``labels`` are n of them, rather than one for all."""
        check_in_order("labels", labels)
        return not is_one(labels)

    def conditions(self, positions: Tensor) -> Tensor:
        """What a generator sees of classes at positions (n,): the positions."""
        return positions

    def yielded_conditions(self, seen: Any) -> list[Any]:
        """The labels that a generator saw, in the form that the dataset yields."""
        return self.yielded_many(seen)

    def unknown(self, real: Any, needed: Iterable[int]) -> list[Any]:
        """The classes of ``real``, at positions ``needed``, that these lack."""
        if not isinstance(real, LabelSpec):
            return [f"targets of kind {real.kind!r}"]
        return [real.values[i] for i in needed if real.values[i] not in self.values]

    # what a blend balances, and gives shares to by name: here, the classes themselves

    @property
    def num_groups(self) -> int:
        return len(self)

    def names_groups(self, names: Iterable[Any]) -> bool:
        """Whether all of ``names`` are groups."""
        return all(name in self for name in names)

    def group_index(self, name: Any) -> int:
        """Position of a class given by value or name."""
        return self.index(name)

    def grouped(self, per_class: Tensor) -> Tensor:
        """What (classes,) have, by group."""
        return per_class

    def spread(self, weights: Tensor) -> Tensor:
        """(classes,) shares that give each group its weight."""
        return weights

    def shares_by(self, shares: Tensor) -> Tensor:
        """(classes,) of what is said of groups."""
        return shares

    def yielded(self, index: int) -> Any:
        """The label of class ``index`` in the form that the dataset yields."""
        value = self.values[index]
        if self.form == "tensor":
            return torch.full(self.shape, int(value), dtype=getattr(torch, str(self.dtype)))
        if self.form == "numpy":
            made = np.full(self.shape, value, dtype=self.dtype)
            return made if self.shape else made[()]
        return value

    def values_of(self, indices: Tensor) -> Tensor | list[Label]:
        """The labels of several classes (n,) int64: a tensor where they are ints, else a list."""
        if type(self.values[0]) is int:
            return self._integers[indices]
        return [self.values[i] for i in indices.tolist()]

    def yielded_many(self, indices: Tensor | Sequence[int]) -> list[Any]:
        """The labels of several classes in the form that the dataset yields, each its own object."""
        if self.form == "tensor" and self.shape == ():
            return list(self._table[indices].unbind())  # one copy for all: a batch costs as much as a sample
        return [self.yielded(i) for i in (indices.tolist() if isinstance(indices, Tensor) else indices)]

    def batched(self, indices: Tensor) -> Tensor | list[str]:
        """Labels of n samples: (n,) tensor, or a list for string labels."""
        if self.form == "str":
            return [str(self.values[i]) for i in indices.tolist()]
        return self._table[indices.cpu()]

    def to_json(self) -> dict[str, Any]:
        """A form that JSON can hold."""
        return asdict(self)

    @cached_property
    def _integers(self) -> Tensor:
        """Values that are ints, (classes,) int64, ascending."""
        return torch.tensor(self.values, dtype=torch.int64)

    @cached_property
    def _table(self) -> Tensor:
        """The values, (classes,), of the dtype that the dataset yields."""
        return torch.tensor([int(value) for value in self.values], dtype=_torch_dtype(self))


def _form_of(example: Any) -> tuple[str, str | None, tuple[int, ...]]:
    if isinstance(example, str):  # also those of NumPy, whose dtype has room for as many letters as the first
        return "str", None, ()
    if isinstance(example, Tensor):
        return "tensor", str(example.dtype).removeprefix("torch."), tuple(example.shape)
    if isinstance(example, (np.ndarray, np.generic)):
        return "numpy", str(example.dtype), tuple(example.shape)
    return type(plain_label(example)).__name__, None, ()


def _torch_dtype(labels: LabelSpec) -> torch.dtype:
    dtype: torch.dtype = getattr(torch, str(labels.dtype)) if labels.form == "tensor" else torch.int64
    return dtype
