"""Generated samples as files of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from augsynth._atomic import atomic_folder
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
        ConfigError: the folder is not empty.
    """
    if out.is_dir() and any(out.iterdir()):
        raise ConfigError(f"--out {out}: the folder is not empty; name a new one")
    names = []
    with atomic_folder(out) as folder:
        for i, meta in enumerate(batch.meta):
            inner = Path(file_name(meta["condition"] or "samples")) / f"{meta['seed']:019d}{suffix}"
            (folder / inner).parent.mkdir(exist_ok=True)
            save(i, folder / inner)
            names.append(out / inner)
    return names
