"""SMOTE of imbalanced-learn, as classic augmentation of a whole table."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from augsynth_tabular.rows import Rows
from augsynth_tabular.spec import TabularSpec


class Smote:
    """Fill the rare classes up by rows between neighbours (Chawla et al. 2002); SMOTE-NC where there are categories.

    Args:
        neighbours: of a row, fewer where its class is smaller.
    """

    def __init__(self, neighbours: int = 5) -> None:
        self.neighbours = neighbours

    def __repr__(self) -> str:
        return f"Smote(neighbours={self.neighbours})"

    def resample(self, real: Any, seed: int) -> Any:
        """``real`` with more rows of the rare classes, none where a class has a single row, or all are equal."""
        from imblearn.over_sampling import SMOTE, SMOTENC

        samples = [real[i] for i in range(len(real))]
        rows, y = [row for row, _ in samples], np.array([label for _, label in samples], dtype=object)
        _, at, counts = np.unique(y.astype(str), return_index=True, return_counts=True)
        if counts.min() < 2 or counts.min() == counts.max():
            return real
        spec = TabularSpec.of(rows[0]).refined(rows)
        table = [[_number(column, row[column.name]) for column in spec.columns] for row in rows]
        categorical = [i for i, column in enumerate(spec.columns) if column.kind == "category"]
        options = {"k_neighbors": min(self.neighbours, counts.min() - 1), "random_state": seed % 2**32}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            numbers = len(categorical) < len(spec.columns)
            if not numbers:
                return real
            made = SMOTENC(categorical, **options) if categorical else SMOTE(**options)
            x, codes = made.fit_resample(np.array(table), np.unique(y.astype(str), return_inverse=True)[1])
        more = [
            {column.name: _value(column, value) for column, value in zip(spec.columns, row, strict=True)}
            for row in x[len(rows) :]
        ]
        return Rows(rows + more, list(y) + [y[at[c]] for c in codes[len(rows) :]])


def _number(column: Any, value: Any) -> float:
    from augsynth_tabular.columns import as_number, missing

    if column.kind == "category":
        return float(len(column.values)) if missing(value) else float(column.values.index(value))
    return column.mean if missing(value) else as_number(value)


def _value(column: Any, number: float) -> Any:
    if column.kind == "category":
        return None if round(number) == len(column.values) else column.values[round(number)]
    return column.value(number)
