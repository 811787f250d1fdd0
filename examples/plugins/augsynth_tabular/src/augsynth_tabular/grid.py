"""A row as one cell of each column: a category, a stretch of numbers or days, or a gap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from augsynth_tabular.columns import Column, as_number, missing

_NONE = -1_000_000  # in place of a cell, of a category that the columns do not know: equal to none, and no position


class Grid:
    """Cells of columns, of equal width between the bounds of numbers and dates.

    Args:
        columns: d of them.
        bins: cells of a column of numbers or dates. Those of whole numbers and days hold as many of them each, and are
            up to half as many again, or fewer where there are fewer values.
    """

    def __init__(self, columns: Sequence[Column], bins: int) -> None:
        self.columns, self.bins = tuple(columns), bins
        self.cells = [_cells(column, bins) for column in columns]
        self.sizes = [n + column.gaps for n, column in zip(self.cells, columns, strict=True)]
        self.starts = [sum(self.sizes[:i]) for i in range(len(self.sizes))]
        self.width = sum(self.sizes)

    def encoded(self, rows: Sequence[Any]) -> Tensor:
        """(n, d) int64 positions among all cells, of n rows."""
        made = [
            [start + self._cell(i, row[self.columns[i].name]) for i, start in enumerate(self.starts)] for row in rows
        ]
        return torch.tensor(made, dtype=torch.int64).view(len(rows), len(self.columns))

    def row(self, cells: Sequence[int], places: Sequence[float]) -> dict[str, Any]:
        """A row, of d positions among all cells and d places in [0, 1) within them."""
        return {
            column.name: self._value(i, cells[i] - self.starts[i], places[i]) for i, column in enumerate(self.columns)
        }

    def pairs(self) -> tuple[Tensor, Tensor]:
        """(k,) and (k,) int64: each cell with itself, and each pair of cells of two columns, once."""
        column = torch.repeat_interleave(torch.arange(len(self.sizes)), torch.tensor(self.sizes))
        first, second = torch.triu_indices(self.width, self.width)
        kept = (first == second) | (column[first] != column[second])
        return first[kept], second[kept]

    def _cell(self, i: int, value: Any) -> int:
        column, n = self.columns[i], self.cells[i]
        if missing(value):
            return n
        if column.kind == "category":
            return column.values.index(value) if value in column.values else _NONE
        width = self._width(i)
        return min(max(math.floor((as_number(value) - column.low) / width), 0), n - 1)

    def _value(self, i: int, cell: int, place: float) -> Any:
        column, n = self.columns[i], self.cells[i]
        if cell >= n:
            return None
        if column.kind == "category":
            return column.values[cell]
        width = self._width(i)
        start = column.low + cell * width
        if _whole(column):  # the last cell may reach beyond the bound, where no value is
            return column.value(start + math.floor(place * min(width, column.high - start + 1)))
        return column.value(start + place * width)

    def _width(self, i: int) -> float:
        """Of a column's cells: how many whole numbers or days are in one, or in the column's own unit."""
        column = self.columns[i]
        if _whole(column):
            return _step(column, self.bins)
        return max(column.high - column.low, 1e-9) / self.cells[i]


def _cells(column: Column, bins: int) -> int:
    if column.kind == "category":
        return len(column.values)
    return math.ceil((column.high - column.low + 1) / _step(column, bins)) if _whole(column) else bins


def _step(column: Column, bins: int) -> int:
    """Whole numbers, or days, in a cell."""
    return max(1, round((column.high - column.low + 1) / bins))


def _whole(column: Column) -> bool:
    return column.kind == "integer" or (column.kind == "date" and column.form != "datetime")
