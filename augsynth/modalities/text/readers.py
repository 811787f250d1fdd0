"""Texts by name on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from augsynth.modalities.text.tables import SUFFIXES, TextDataset, read_table


class Table:
    """A table with a column of texts. The options ``text`` and ``label`` name columns; ``on_bad`` says what becomes of
    rows that cannot be used."""

    form = f"a table of texts ({', '.join(SUFFIXES)})"
    options = ("text", "label", "on_bad")

    def reads(self, name: str, options: Mapping[str, Any]) -> bool:
        return Path(name).suffix in SUFFIXES

    def has_test_split(self, name: str) -> bool:
        return False

    def open(self, name: str, *, split: str, options: Mapping[str, Any]) -> TextDataset:
        columns = {key: options.get(key) for key in ("text", "label")}
        return read_table(Path(name).expanduser(), **columns, on_bad=options.get("on_bad") or "error")
