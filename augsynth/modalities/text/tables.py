"""Texts from a table: CSV, JSON lines or Parquet."""

from __future__ import annotations

import csv
import io
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from augsynth._cells import plain_cell
from augsynth._parquet import record_batches
from augsynth.datasets.options import check_on_bad
from augsynth.errors import AugsynthError, ConfigError, ConversionWarning, DataError

SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
_NAMED = 50  # rows in one message
_LABELS = ("label", "labels", "class", "target", "category")  # what a column of labels is usually called
_FIELD_LIMIT = 10_000_000  # characters; the csv module stops at 131,072 with a message that names no row


class TextDataset(Dataset[Any]):
    """Texts, alone or with labels: ``(text, label)``.

    Args:
        unreadable: the rows that were left out, and why.
    """

    def __init__(
        self, texts: Sequence[str], targets: Sequence[str | int] | None, *, unreadable: Sequence[tuple[str, str]] = ()
    ) -> None:
        self.texts, self.unreadable = list(texts), list(unreadable)
        self.targets = None if targets is None else list(targets)

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: int) -> Any:
        return self.texts[index] if self.targets is None else (self.texts[index], self.targets[index])


def read_table(path: Path, *, text: str | None = None, label: str | None = None, on_bad: str = "error") -> TextDataset:
    """Read the columns ``text`` and, if named, ``label``.

    Args:
        path: a .csv, .tsv, .jsonl or .parquet file, in UTF-8. Columns of a .csv whose first line has no comma may be
            separated by semicolons, tabs or bars.
        text: name of the column of texts; may be left out if the table has one column, or one named "text".
        label: name of the column of labels; None reads no labels, and says so where a column is called so.
        on_bad: ``"error"`` for rows without a text or a label, or ``"drop"``, which leaves them out and lists them.

    Raises:
        ConfigError: there is no such file or column; lists those there are. Or ``on_bad`` is neither.
        DataError: the file cannot be read, or rows of it; names them.
    """
    check_on_bad(on_bad)
    if not path.is_file():
        raise ConfigError(f"data {str(path)!r}: there is no such file")
    rows = list(_rows(path))
    if not rows:
        raise DataError(f"{path} has no rows")
    columns = list(rows[0])
    text = text or ("text" if "text" in columns else columns[0] if len(columns) == 1 else None)
    if text is None:
        raise ConfigError(f"{path} has the columns {', '.join(columns)}: say which holds the text with --text")
    for name in (text, label):
        if name is not None and name not in columns:
            raise ConfigError(f"{path} has no column {name!r}; it has: {', '.join(columns)}")
    left = next((name for name in columns if name.lower() in _LABELS and name != text), None)
    if label is None and left is not None:
        message = f"{path} is read without labels: its column {left!r} is left out"
        warnings.warn(f"{message}; --label {left} (label= in Python) reads it", ConversionWarning, stacklevel=3)
    bad = {i: why for i, row in enumerate(rows) if (why := _flaw(row, text, label))}
    told = [(f"row {i + 1}", why) for i, why in bad.items()]
    if bad:
        _tell(path, told, len(rows), on_bad)
    good = [row for i, row in enumerate(rows) if i not in bad]
    if not good:
        raise DataError(f"{path}: no row can be used")
    targets = None if label is None else [row[label] for row in good]
    return TextDataset([row[text] for row in good], targets, unreadable=told)


def _flaw(row: Mapping[str, Any], text: str, label: str | None) -> str | None:
    """What is wrong with a row, or None."""
    value = row.get(text)
    if not isinstance(value, str) or not value.strip():
        return f"column {text!r} holds {value!r}, expected a text"
    if label is None:
        return None
    value = row.get(label)
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        return f"column {label!r} holds {value!r}, expected a label"
    return None


def _tell(path: Path, told: Sequence[tuple[str, str]], n: int, on_bad: str) -> None:
    """Raise for rows that cannot be used, or say that they are left out; all of them in one message."""
    listed = "\n  ".join(f"{row}: {why}" for row, why in told[:_NAMED])
    more = f"\n  and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    if on_bad == "drop":
        message = f"{path}: {len(told)} of {n} rows are left out:\n  {listed}{more}"
        warnings.warn(message, ConversionWarning, stacklevel=4)
        return
    if len(told) == n:
        raise DataError(f"{path}: none of the {n} rows can be used:\n  {listed}{more}")
    raise DataError(
        f"{path}: {len(told)} of {n} rows cannot be used; mend them, or leave them out with --on-bad drop (on_bad= in "
        f"Python):\n  {listed}{more}"
    )


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    if path.suffix == ".parquet":
        try:
            for batch in record_batches(path, purpose="Parquet files"):
                yield from batch.to_pylist()
        except AugsynthError:
            raise
        except Exception as error:  # the library raises many kinds
            raise DataError(f"{path} cannot be read as Parquet: {error}") from error
        return
    content = _decoded(path)
    if path.suffix == ".jsonl":
        for number, line in enumerate(content.splitlines(), 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise DataError(f"{path}, line {number}: not JSON ({error})") from error
            if not isinstance(row, dict):
                raise DataError(f"{path}, line {number}: expected an object, got {line[:60]!r}")
            yield row
        return
    csv.field_size_limit(_FIELD_LIMIT)
    delimiter = "\t" if path.suffix == ".tsv" else _delimiter(content)
    reader = csv.DictReader(io.StringIO(content, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if None in row or None in row.values():
                raise DataError(f"{path}, line {reader.line_num}: expected {len(reader.fieldnames or ())} fields")
            yield {name: plain_cell(value) for name, value in row.items()} if path.suffix == ".csv" else row
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}") from error


def _delimiter(content: str) -> str:
    """What stands between the columns of a .csv: a comma, or where the first line has none, what others write there."""
    head = content.partition("\n")[0]
    return next((one for one in ",;\t|" if one in head), ",")


def _decoded(path: Path) -> str:
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, line {line}: not UTF-8 (byte {raw[error.start : error.start + 1]!r}); convert the file, for "
            "example with: iconv -f LATIN1 -t UTF-8"
        ) from None
