"""What the rows of a table look like."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, ClassVar

import numpy as np
import torch

import augsynth
from augsynth import authoring
from augsynth_tabular.columns import Column

_SCALARS = (bool, int, float, str, date, datetime, np.generic, type(None))


@dataclass(frozen=True)
class TabularSpec(authoring.ListSpec):
    """Rows as dicts; generators see them as they are.

    Args:
        names: of the columns, in order.
        columns: what they hold: what the dataset declares, and, once all rows were seen, all.
    """

    names: tuple[str, ...]
    columns: tuple[Column, ...] = ()

    field_names: ClassVar[tuple[str, ...]] = ("row", "features")

    @classmethod
    def claims(cls, x: Any) -> bool:
        return isinstance(x, Mapping) and len(x) > 0 and all(isinstance(one, _SCALARS) for one in x.values())

    @classmethod
    def of(cls, x: Any, dataset: Any = None) -> TabularSpec:
        if not isinstance(x, Mapping) or not x:
            raise augsynth.DataError(f"a row of type {type(x).__name__}: expected a dict, column → value")
        names, declared = tuple(map(str, x)), tuple(_declared_by(dataset))
        if unknown := [one.name for one in declared if one.name not in names]:
            raise augsynth.DataError(f"declared columns that there are not: {', '.join(unknown)}; there are: {names}")
        return cls(names, declared)

    @property
    def described(self) -> str:
        return (
            f"rows of {len(self.names)} columns ({', '.join(self.names[:6])}{', ...' if len(self.names) > 6 else ''})"
        )

    @classmethod
    def compared(cls) -> tuple[str, ...]:
        return ("names",)

    def to_raw(self, x: Any) -> dict[str, Any]:
        if not isinstance(x, Mapping) or tuple(map(str, x)) != self.names:
            raise augsynth.DataError(
                f"a row with the columns {list(x) if isinstance(x, Mapping) else x!r}: expected {self.described}"
            )
        return dict(x)

    def refined(self, raw: Any) -> TabularSpec:
        declared = {column.name: column for column in self.columns if column.public}
        columns = []
        for name in self.names:
            values = [row[name] for row in raw]
            if name in declared:
                declared[name].check(values)
            columns.append(declared.get(name) or Column.of(name, values))
        return replace(self, columns=tuple(columns))

    def read_off(self) -> str | None:
        found = [column.name for column in self.columns if not column.public]
        return (
            f"what the columns {', '.join(found)} may hold was read off the values (declare it: "
            "Rows.of(..., columns=[Column.declared(...), ...]))"
            if found
            else None
        )

    def interchangeable(self, real: Any, synthetic: Any) -> bool:
        return tuple(real) == tuple(synthetic)  # a value may be missing in the one and not in the other

    def digestible(self, raw: Any) -> Any:
        return (json.dumps(row, sort_keys=True, default=str).encode() for row in raw)

    def flaw(self, made: Any, n: int) -> str | None:
        wrong = next((row for row in made if tuple(row) != self.names), None)
        return super().flaw(made, n) or (f"made the row {wrong!r}" if wrong is not None else None)

    def vectors(self, rows: Any) -> torch.Tensor:
        """(n, width) float32 of n rows."""
        made = [[v for column in self.columns for v in column.encoded(row[column.name])] for row in rows]
        return torch.tensor(made, dtype=torch.float32).reshape(len(rows), sum(c.width for c in self.columns))

    @property
    def slot_bytes(self) -> int:
        return 64 * len(self.names) + 4 * sum(len(str(v)) for c in self.columns for v in c.values)

    def packed(self, x: Any) -> list[bytes]:
        return [json.dumps([_plain(row[name]) for name in self.names]).encode() for row in x]

    def unpacked(self, packed: Any) -> list[dict[str, Any]]:
        forms = {column.name: column.form for column in self.columns}
        read = {"date": date.fromisoformat, "datetime": datetime.fromisoformat}
        rows = [dict(zip(self.names, json.loads(one), strict=True)) for one in packed]
        return [
            {k: read[forms[k]](v) if v is not None and forms[k] in read else v for k, v in row.items()} for row in rows
        ]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TabularSpec:
        columns = tuple(Column(**{**one, "values": tuple(one["values"])}) for one in data["columns"])
        return replace(super().from_json({**data, "columns": ()}), columns=columns)


def _declared_by(dataset: Any) -> Sequence[Column]:
    """The attribute ``columns`` of a dataset, or of what it wraps, where that holds declarations."""

    def are_declared(columns: Any) -> bool:
        return isinstance(columns, (list, tuple)) and bool(columns) and all(isinstance(c, Column) for c in columns)

    return next(filter(are_declared, authoring.attributes_of(dataset, "columns")), ())


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else value
