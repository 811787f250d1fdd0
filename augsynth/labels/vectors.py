"""What multi-hot targets and numbers have in common: a generator sees each as a vector."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch
from torch import Tensor

from augsynth.errors import ConfigError

Self = TypeVar("Self", bound="VectorTargets")


@dataclass(frozen=True, kw_only=True)
class VectorTargets:
    """Base of :class:`MultiLabelSpec` and :class:`NumberSpec`.

    Args:
        form: type of a yielded target: ``"tensor"``, ``"numpy"``, ``"list"``, ``"tuple"``, or ``"float"``.
        dtype: dtype name for tensors and arrays, else None.
        size: length of a vector.
        scalar: whether a single number is yielded, rather than a vector of one.
        rows: the distinct targets that a dataset has, (rows, size); kept in memory alone where they are data.
        counts: number of real samples of each row.
    """

    form: str
    dtype: str | None
    size: int
    scalar: bool = False
    rows: tuple[tuple[float, ...], ...] = field(default=(), repr=False)
    counts: tuple[int, ...] = field(default=(), repr=False)

    kind: ClassVar[str] = ""
    categorical: ClassVar[bool] = False

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def values(self) -> tuple[Any, ...]:
        """The distinct targets, as plain numbers or tuples."""
        return tuple(row[0] for row in self.rows) if self.scalar else self.rows

    @property
    def displayed(self) -> list[str]:
        """Names of what is counted when classes are balanced."""
        raise NotImplementedError

    @property
    def described(self) -> str:
        """For a model card."""
        raise NotImplementedError

    def display(self, row: Any) -> str:
        """A target for people: a position among the rows, or what a generator sees."""
        raise NotImplementedError

    def seen(self, values: Tensor) -> Tensor:
        """(n, size) float32 that a generator sees, of targets (n, size)."""
        return values.float()

    def meant(self, seen: Tensor) -> Tensor:
        """The inverse of :meth:`seen`."""
        return seen

    def parsed(self, value: Any) -> Sequence[float]:
        """One target as a caller may write it, as ``size`` numbers. Raises ConfigError."""
        raise NotImplementedError

    # ------------------------------------------------------------------ requests

    def several(self, targets: Any) -> bool:
        """Whether ``targets`` are n of them, rather than one for all."""
        if isinstance(targets, (Tensor, np.ndarray)):
            return targets.ndim == (1 if self.scalar else 2)
        if isinstance(targets, (str, set, frozenset)) or not hasattr(targets, "__len__"):
            return False
        if self.scalar:
            return True
        return len(targets) == 0 or not isinstance(targets[0], (bool, int, float, np.generic))

    def requested(self, targets: Any, n: int) -> Tensor:
        """What a generator is asked for, (n, size): one target for all, or as many as are given."""
        if isinstance(targets, (Tensor, np.ndarray)):
            made = torch.as_tensor(targets).float().reshape(-1, self.size)
        else:
            listed = targets if self.several(targets) else [targets]
            made = torch.tensor([list(self.parsed(one)) for one in listed]).float().reshape(-1, self.size)
        if not bool(torch.isfinite(made).all()):
            raise ConfigError("labels: a target with NaN or infinite values")
        self.check(made)
        return self.seen(made.expand(n, -1) if len(made) == 1 and not self.several(targets) else made)

    def check(self, values: Tensor) -> None:
        """Raise a ConfigError where (n, size) ``values`` are no such targets."""

    def examples(self, n: int) -> list[Any]:
        """At most n targets to show samples of."""
        return list(self.values[:n])

    # ------------------------------------------------------------------ rows

    def index(self, target: Any) -> int:
        """Position of a target among the rows: the nearest one."""
        wanted = torch.tensor(list(self.parsed(target)), dtype=torch.float64)
        return int((self._rows - wanted).square().sum(1).argmin())

    def indices(self, targets: Iterable[Any]) -> Tensor:
        """(n,) int64 positions of n targets; of the nearest row where there is none."""
        plain = targets.tolist() if isinstance(targets, (Tensor, np.ndarray)) else targets
        places = []
        for one in plain:
            row = tuple(float(v) for v in self.parsed(one))
            places.append(self._places[row] if row in self._places else self.index(one))
        return torch.tensor(places, dtype=torch.int64)

    def values_of(self, positions: Tensor) -> Tensor:
        """Targets at positions (n,): (n,) or (n, size)."""
        found = self._rows[positions]
        return found[:, 0] if self.scalar else found

    def conditions(self, positions: Tensor) -> Tensor:
        """(n, size) float32 that a generator sees, of positions (n,)."""
        return self.seen(self._rows[positions])

    def yielded_many(self, positions: Tensor | Sequence[int]) -> list[Any]:
        """The targets at positions (n,) in the form that the dataset yields, each its own object."""
        return self._in_form(self._rows[torch.as_tensor(positions, dtype=torch.int64)])

    def yielded_conditions(self, seen: Any) -> list[Any]:
        """The targets that a generator saw as (n, size), in the form that the dataset yields."""
        return self._in_form(self.meant(torch.as_tensor(seen)))

    def batched(self, seen: Tensor) -> Tensor:
        """The targets that a generator saw as (n, size), as one tensor (n,) or (n, size)."""
        made = self.meant(seen.cpu())
        made = made.to(getattr(torch, self.dtype)) if self.form == "tensor" and self.dtype else made
        return made[:, 0] if self.scalar else made

    def _in_form(self, values: Tensor) -> list[Any]:
        if self.form == "tensor":
            own = values.to(getattr(torch, str(self.dtype)))
            return [row[0].clone() if self.scalar else row.clone() for row in own]
        if self.form == "numpy":
            array = values.numpy().astype(self.dtype)
            return [row[0] if self.scalar else row.copy() for row in array]
        plain = self._plain(values)
        if self.scalar:
            return [row[0] for row in plain]
        return [tuple(row) for row in plain] if self.form == "tuple" else plain

    def _plain(self, values: Tensor) -> list[list[Any]]:
        return values.tolist()

    # ------------------------------------------------------------------ groups: what is balanced, and named

    @property
    def num_groups(self) -> int:
        """Number of groups that a blend can tell apart."""
        return len(self.displayed)

    def group_index(self, name: Any) -> int:
        """Position of a group given by name. Raises ConfigError."""
        raise NotImplementedError

    def names_groups(self, names: Iterable[Any]) -> bool:
        """Whether all of ``names`` are groups."""
        try:
            return all(self.group_index(name) >= 0 for name in names)
        except ConfigError:
            return False

    def grouped(self, per_row: Tensor) -> Tensor:
        """(groups,) sums of what (rows,) have."""
        return per_row.double() @ self._members

    def spread(self, weights: Tensor) -> Tensor:
        """(rows,) shares that give each group its weight (groups,), row by row as frequent as they are."""
        counts = torch.tensor(self.counts, dtype=torch.float64)[:, None] * self._members
        shares = (counts / counts.sum(0).clamp(min=1e-12)) @ weights.double()
        return shares / shares.sum().clamp(min=1e-12)

    def shares_by(self, shares: Tensor) -> Tensor:
        """(rows,) of what is said of groups (groups,): that of the group with the highest."""
        return (self._members * shares.double()).max(1).values

    @cached_property
    def _members(self) -> Tensor:
        """(rows, groups) float64: 1 where a row belongs to a group."""
        raise NotImplementedError

    @cached_property
    def _rows(self) -> Tensor:
        return torch.tensor(self.rows, dtype=torch.float64).reshape(-1, self.size)

    @cached_property
    def _places(self) -> dict[tuple[float, ...], int]:
        return {tuple(map(float, row)): i for i, row in enumerate(self.rows)}

    # ------------------------------------------------------------------ on disk

    def public(self: Self) -> Self:
        """What may stand in a checkpoint."""
        return self

    def to_json(self) -> dict[str, Any]:
        """A form that JSON can hold."""
        return {"kind": self.kind, **asdict(self.public())}
