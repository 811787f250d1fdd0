"""Samples as files of their own, and rows as tables."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from augsynth._atomic import atomic_file, atomic_folder
from augsynth._cells import safe_cell
from augsynth._names import file_name
from augsynth.errors import ConfigError


def write_each(batch: Any, out: Path, suffix: str, save: Callable[[int, Path], Any]) -> list[Path]:
    """Write a folder with a subfolder for each label, and in it a file for each sample, named by its seed.

    Args:
        batch: n samples.
        out: the folder; must be new or empty, and is whole or not there.
        suffix: of the files, such as ``".png"``.
        save: writes sample i to a file.

    Returns:
        The files.

    Raises:
        ConfigError: the folder is not empty, or is a file.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"--out {out}: {'the folder is not empty' if out.is_dir() else 'a file'}; name a new one")
    names = []
    with atomic_folder(out) as folder:
        for i, meta in enumerate(batch.meta):
            inner = Path(file_name(meta["condition"] or "samples")) / f"{meta['seed']:019d}{suffix}"
            (folder / inner).parent.mkdir(exist_ok=True)
            save(i, folder / inner)
            names.append(out / inner)
    return names


def write_rows(rows: Sequence[Mapping[str, Any]], out: Path) -> None:
    """Write rows with the same keys as ``.csv`` or ``.jsonl``, in UTF-8, whole or not at all. In a ``.csv``, what a
    spreadsheet would run as a formula gets an apostrophe before it, which reading takes off again."""
    with atomic_file(out) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        if out.suffix == ".csv":
            writer = csv.DictWriter(file, list(rows[0]) if rows else [])
            writer.writeheader()
            writer.writerows({key: safe_cell(value) for key, value in row.items()} for row in rows)
        else:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
