"""A table as a dataset, and a reader of tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

import augsynth
from augsynth import authoring
from augsynth_tabular.columns import missing

_SUFFIXES = (".csv", ".tsv", ".parquet")


class Rows(Dataset[Any]):
    """Rows as dicts, alone or with a label: ``(row, label)``."""

    def __init__(self, rows: list[dict[str, Any]], targets: list[Any] | None) -> None:
        self.rows, self.targets = rows, targets

    @classmethod
    def of(cls, table: Any, label: str | None = None) -> Rows:
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
            return cls(records, None)
        if label not in records[0]:
            raise augsynth.ConfigError(f"label={label!r}: there is no such column; there are: {', '.join(records[0])}")
        targets = [row.pop(label) for row in records]
        if (gap := next((i for i, one in enumerate(targets) if missing(one)), None)) is not None:
            raise augsynth.DataError(f"row {gap}: the label is missing")
        return cls(records, targets)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Any:
        return dict(self.rows[index]) if self.targets is None else (dict(self.rows[index]), self.targets[index])


class TableOfRows:
    """A table on the command line; asked for with ``--read rows=true``, as a table may be one of texts."""

    form = "a table of rows (.csv, .tsv, .parquet, with --read rows=true)"
    options = ("rows", "label")

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
        return Rows.of(frame.map(authoring.plain_cell), options.get("label"))


def _python(value: Any) -> Any:
    if missing(value):
        return None
    return (
        value.to_pydatetime() if hasattr(value, "to_pydatetime") else value.item() if hasattr(value, "item") else value
    )
