"""What a column holds, told from all of its values, and how it becomes numbers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

import augsynth

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_MOST = 200  # categories


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        name: of the column.
        kind: ``"number"``, ``"integer"``, ``"category"`` or ``"date"``.
        gaps: whether values are missing.
        mean, std, low, high: of numbers, and of dates in days.
        values: the categories, in order.
        form: of a date: ``"str"``, ``"date"`` or ``"datetime"``; of a category: ``"str"`` or ``"bool"``.
    """

    name: str
    kind: str
    gaps: bool = False
    mean: float = 0.0
    std: float = 1.0
    low: float = 0.0
    high: float = 0.0
    values: tuple[Any, ...] = ()
    form: str = "str"

    @classmethod
    def of(cls, name: str, values: list[Any]) -> Column:
        """Told from all values. Raises DataError where all are missing, or they are of several types."""
        there = [one for one in values if not missing(one)]
        gaps = len(there) < len(values)
        if not there:
            raise augsynth.DataError(f"column {name!r}: all of its {len(values)} values are missing; leave it out")
        kinds = {kind_of(one) for one in there}
        if kinds == {"integer", "number"}:
            kinds = {"number"}
        if len(kinds) > 1:
            odd = next(
                (i, one) for i, one in enumerate(values) if not missing(one) and kind_of(one) != kind_of(there[0])
            )
            raise augsynth.DataError(
                f"column {name!r} is of mixed types, {', '.join(sorted(kinds))}: row {odd[0]} holds {odd[1]!r}, and "
                f"others hold values such as {there[0]!r}; bring it to one"
            )
        (kind,) = kinds
        if kind == "category":
            distinct = tuple(sorted(set(there), key=str))
            if len(distinct) > _MOST:
                raise augsynth.DataError(
                    f"column {name!r} has {len(distinct)} different values: names, identifiers and free text tell "
                    "nothing that could be learnt, and are not to be copied; leave it out"
                )
            return cls(name, kind, gaps, values=distinct, form="bool" if isinstance(there[0], bool) else "str")
        numbers = np.array([as_number(one) for one in there])
        if not np.isfinite(numbers).all():
            raise augsynth.DataError(f"column {name!r} has infinite values")
        std = float(numbers.std()) or 1.0
        form = type(there[0]).__name__ if kind == "date" else "str"
        form = "datetime" if form in ("Timestamp", "datetime") else form
        return cls(name, kind, gaps, float(numbers.mean()), std, float(numbers.min()), float(numbers.max()), form=form)

    @property
    def width(self) -> int:
        """Numbers that a value becomes."""
        return (len(self.values) if self.kind == "category" else 1) + self.gaps

    def encoded(self, value: Any) -> list[float]:
        """A value as numbers: standardised, or one-hot; the last tells a gap."""
        gap = missing(value)
        if self.kind == "category":
            own = [float(not gap and value == one) for one in self.values]
        else:
            own = [0.0 if gap else (as_number(value) - self.mean) / self.std]
        return own + [float(gap)] * self.gaps

    def value(self, number: float) -> Any:
        """A number, as it is before it is standardised, as the value of this column."""
        number = min(max(number, self.low), self.high)
        if self.kind == "integer":
            return round(number)
        if self.kind == "number":
            return float(number)
        if self.form == "datetime":
            return datetime.fromordinal(1 + math.floor(number)).replace(microsecond=0)
        day = date.fromordinal(1 + round(number))
        return day if self.form == "date" else day.isoformat()


def missing(value: Any) -> bool:
    """Whether there is no value: None, NaN, or NaT of pandas."""
    return value is None or (value != value if not isinstance(value, str) else False)


def kind_of(value: Any) -> str:
    """The kind of one value that is not missing."""
    if isinstance(value, (bool, np.bool_)):
        return "category"
    if isinstance(value, (int, np.integer)):
        return "integer"
    if isinstance(value, (float, np.floating)):
        return "number"
    if isinstance(value, (date, datetime)) or (isinstance(value, str) and _DATE.match(value)):
        return "date"
    if isinstance(value, str):
        return "category"
    raise augsynth.DataError(f"a value of type {type(value).__name__}, {value!r}: expected a number, a name or a date")


def as_number(value: Any) -> float:
    """A number, or a date in days."""
    if isinstance(value, str):
        value = date.fromisoformat(value)
    if isinstance(value, datetime):
        return value.toordinal() - 1 + (value.hour + value.minute / 60) / 24
    return float(value.toordinal() - 1 if isinstance(value, date) else value)
