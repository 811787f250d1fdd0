"""Targets that are several labels at once, as multi-hot vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from augsynth.errors import ConfigError, UnknownLabelError
from augsynth.labels.frequencies import drawn_by_counts
from augsynth.labels.vectors import VectorTargets


@dataclass(frozen=True, kw_only=True)
class MultiLabelSpec(VectorTargets):
    """The labels of a dataset whose samples have several: vectors of 0 and 1.

    A generator sees the vectors as they are. Requests are vectors, or sets of names. In blends, the sets of labels that
    occur together take the place of classes; ``balance`` levels how often each label occurs.

    Args:
        names: a name for each label, or None.
    """

    names: tuple[str, ...] | None = None

    kind: ClassVar[str] = "multilabel"

    @property
    def displayed(self) -> list[str]:
        return list(self.names) if self.names else [str(i) for i in range(self.size)]

    @property
    def described(self) -> str:
        return f"several of: {', '.join(self.displayed)}"

    def display(self, row: Any) -> str:
        vector = row if isinstance(row, Tensor) and row.ndim == 1 else self._rows[int(row)]
        return " + ".join(name for name, on in zip(self.displayed, vector.tolist(), strict=True) if on > 0.5) or "none"

    def parsed(self, value: Any) -> Sequence[float]:
        if isinstance(value, str):
            value = {name.strip() for name in value.split(",") if name.strip()}
        if isinstance(value, (set, frozenset)) or (len(value) and all(isinstance(one, str) for one in value)):
            vector = [0.0] * self.size
            for name in value:
                vector[self.group_index(name)] = 1.0
            return vector
        numbers = [float(one) for one in (value.tolist() if isinstance(value, (Tensor, np.ndarray)) else value)]
        if len(numbers) != self.size:
            raise ConfigError(f"a multi-hot target of {len(numbers)} labels: expected {self.size}")
        return numbers

    def check(self, values: Tensor) -> None:
        if not bool(((values == 0) | (values == 1)).all()):
            raise ConfigError("labels: a multi-hot target has values besides 0 and 1")

    def drawn(self, seeds: Tensor) -> Tensor:
        """(n, size) that a generator sees, as frequent as the real samples have them, by seeds (n,)."""
        return self.conditions(drawn_by_counts(self.counts, seeds))

    def group_index(self, name: Any) -> int:
        if isinstance(name, (int, np.integer)) and not isinstance(name, bool) and 0 <= name < self.size:
            return int(name)
        if name in self.displayed:
            return self.displayed.index(name)
        raise UnknownLabelError(f"there is no label {name!r}. The labels are: {', '.join(self.displayed)}")

    def unknown(self, real: Any, needed: Sequence[int]) -> list[Any]:
        """What of the real targets a generator of these could not be asked for."""
        same = isinstance(real, MultiLabelSpec) and real.size == self.size and real.displayed == self.displayed
        return [] if same else list(getattr(real, "displayed", [real.kind]))

    def _plain(self, values: Tensor) -> list[list[Any]]:
        return values.round().long().tolist()

    @cached_property
    def _members(self) -> Tensor:
        return self._rows
