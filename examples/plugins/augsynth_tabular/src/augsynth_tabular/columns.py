"""What a column holds, declared beforehand or told from all of its values, and how it becomes numbers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

import augsynth

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_MOST = 200  # categories
_DECIMALS = 7


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
        decimals: of numbers, to which values are rounded; None for all.
        public: whether it was declared, and not read off the values; a private fit needs all columns so.
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
    public: bool = False
    decimals: int | None = None

    @classmethod
    def declared(
        cls,
        name: str,
        *,
        values: Any = None,
        low: Any = None,
        high: Any = None,
        gaps: bool = False,
        decimals: int | None = None,
    ) -> Column:
        """What a column may hold, known without looking at the data.

        Args:
            name: of the column.
            values: the categories; or
            low, high: the bounds: whole numbers, floats, or dates, as dates or by ISO 8601.
            gaps: whether values may be missing.
            decimals: of numbers, to which generated ones are rounded; None for all.

        Raises:
            ConfigError: neither or both are given, or they cannot be used.
        """
        if (values is None) == (low is None or high is None):
            raise augsynth.ConfigError(f"column {name!r}: expected its values, or both low and high")
        if values is not None:
            values = tuple(sorted(set(values), key=str))
            if not 1 < len(values) <= _MOST or {kind_of(one) for one in values} != {"category"}:
                raise augsynth.ConfigError(f"column {name!r}: values={values!r}: expected 2 to {_MOST} names, or bools")
            form = "bool" if isinstance(values[0], bool) else "str"
            return cls(name, "category", gaps, values=values, form=form, public=True)
        kinds = {kind_of(low), kind_of(high)}
        if "category" in kinds or ("date" in kinds and len(kinds) > 1):
            raise augsynth.ConfigError(
                f"column {name!r}: low={low!r}, high={high!r}: expected two numbers, or two dates"
            )
        kind = kinds.pop() if len(kinds) == 1 else "number"
        form = _form_of(low) if kind == "date" else "str"
        low, high = as_number(low), as_number(high)
        if not -math.inf < low < high < math.inf:
            raise augsynth.ConfigError(f"column {name!r}: low={low!r}, high={high!r}: expected low below high")
        return cls(
            name, kind, gaps, (low + high) / 2, (high - low) / 4, low, high, form=form, public=True, decimals=decimals
        )

    def check(self, values: list[Any]) -> None:
        """Raise a DataError for a value that was declared not to occur: it names the row."""
        for i, value in enumerate(values):
            if missing(value):
                wrong = None if self.gaps else "a missing value, and none were declared"
            elif self.kind == "category":
                wrong = None if value in self.values else f"{value!r} is none of the declared values"
            elif kind_of(value) != self.kind and {kind_of(value), self.kind} != {"integer", "number"}:
                wrong = f"{value!r} is no {self.kind}"
            elif not self.low <= as_number(value) <= self.high:
                wrong = f"{value!r} is outside of the declared bounds"
            elif self.kind == "integer" and as_number(value) % 1:
                wrong = f"{value!r} is no whole number, as the declared bounds are; declare floats"
            else:
                wrong = None
            if wrong:
                raise augsynth.DataError(
                    f"column {self.name!r}, row {i}: {wrong}; mend the declaration, or clip or leave out such rows"
                )

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
        form = _form_of(there[0]) if kind == "date" else "str"
        low, high, mean = float(numbers.min()), float(numbers.max()), float(numbers.mean())
        decimals = _decimals(numbers) if kind == "number" else None
        return cls(name, kind, gaps, mean, std, low, high, form=form, decimals=decimals)

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
            return float(number if self.decimals is None else round(number, self.decimals))
        if self.form == "datetime":
            return datetime.fromordinal(1) + timedelta(minutes=round(number * 1440))
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


def _decimals(numbers: Any) -> int | None:
    """The fewest decimals that all of the numbers have; None for many."""
    return next((d for d in range(_DECIMALS) if (numbers == numbers.round(d)).all()), None)


def _form_of(value: Any) -> str:
    """How dates are written: ``"str"``, ``"date"`` or ``"datetime"``."""
    form = type(value).__name__
    return "datetime" if form == "Timestamp" else form


def as_number(value: Any) -> float:
    """A number, or a date in days."""
    if isinstance(value, str):
        value = date.fromisoformat(value)
    if isinstance(value, datetime):
        return value.toordinal() - 1 + (value.hour + value.minute / 60) / 24
    return float(value.toordinal() - 1 if isinstance(value, date) else value)
