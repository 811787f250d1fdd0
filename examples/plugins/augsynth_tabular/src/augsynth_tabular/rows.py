"""A table as a dataset, and a reader of tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

import augsynth
from augsynth import authoring
from augsynth_tabular.columns import Column, missing

_SUFFIXES = (".csv", ".tsv", ".parquet")


class Rows(Dataset[Any]):
    """Rows as dicts, alone or with a label: ``(row, label)``.

    Args:
        rows: column → value.
        targets: a label for each, or None.
        columns: what columns are declared to hold, known without looking at the data; the others are told from it.
    """

    def __init__(self, rows: list[dict[str, Any]], targets: list[Any] | None, columns: Sequence[Column] = ()) -> None:
        self.rows, self.targets, self.columns = rows, targets, tuple(columns)

    @classmethod
    def of(cls, table: Any, label: str | None = None, columns: Sequence[Column] = ()) -> Rows:
        """From a pandas DataFrame, an Arrow table, or a list of dicts; ``label`` names a column.

        Raises:
            ConfigError: no such column.
            DataError: it has no rows, or a label is missing.
        """
        if hasattr(table, "to_pylist"):
            records = table.to_pylist()
        elif hasattr(table, "to_dict"):
            records = [{str(k): _python(v) for k, v in row.items()} for row in table.to_dict("records")]
        else:
            records = [dict(row) for row in table]
        if not records:
            raise augsynth.DataError("the table has no rows")
        if label is None:
            return cls(records, None, columns)
        if label not in records[0]:
            raise augsynth.ConfigError(f"label={label!r}: there is no such column; there are: {', '.join(records[0])}")
        targets = [row.pop(label) for row in records]
        if (gap := next((i for i, one in enumerate(targets) if missing(one)), None)) is not None:
            raise augsynth.DataError(f"row {gap}: the label is missing")
        return cls(records, targets, columns)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Any:
        return dict(self.rows[index]) if self.targets is None else (dict(self.rows[index]), self.targets[index])


class TableOfRows:
    """A table on the command line; asked for with ``--read rows=true``, as a table may be one of texts."""

    form = "a table of rows (.csv, .tsv, .parquet, with --read rows=true)"
    options = ("rows", "label", "columns")

    def reads(self, name: str, options: Mapping[str, Any]) -> bool:
        return Path(name).suffix in _SUFFIXES and bool(options.get("rows"))

    def has_test_split(self, name: str) -> bool:
        return False

    def open(self, name: str, *, split: str, options: Mapping[str, Any]) -> Rows:
        import pandas as pd

        path = Path(name).expanduser()
        try:
            frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, sep=None, engine="python")
        except (OSError, ValueError) as error:
            raise augsynth.DataError(f"{path} cannot be read: {error}") from error
        columns = declarations(options["columns"]) if options.get("columns") else ()
        return Rows.of(frame.map(authoring.plain_cell), options.get("label"), columns)


def declarations(file: str | Path) -> list[Column]:
    """Declared columns of a JSON file: a list of the arguments of :meth:`Column.declared`, such as
    ``[{"name": "age", "low": 0, "high": 120}, {"name": "city", "values": ["Lima", "Oslo"], "gaps": true}]``.

    Raises:
        ConfigError: it cannot be read, or an entry cannot be used.
    """
    try:
        listed = json.loads(Path(file).expanduser().read_text(encoding="utf-8"))
        return [Column.declared(**one) for one in listed]
    except (OSError, ValueError, TypeError) as error:
        raise augsynth.ConfigError(f"{file}: no declared columns can be read: {error}") from error


def _python(value: Any) -> Any:
    if missing(value):
        return None
    return (
        value.to_pydatetime() if hasattr(value, "to_pydatetime") else value.item() if hasattr(value, "item") else value
    )
