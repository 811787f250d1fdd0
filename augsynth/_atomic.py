"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_DRAFT = re.compile(r"\..+\.[0-9a-f]{8}(\.[^.]*)?")


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield an empty folder beside ``path``; on success it takes the place of ``path``.

    If the block raises, or the process dies in it, what stood at ``path`` is untouched. Between the two renames of
    the exchange (microseconds) the old folder stands under :func:`previous_of`, where readers find it.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    previous = previous_of(target)
    if previous.exists():
        if target.exists():
            shutil.rmtree(previous)  # left by a death after the exchange
        else:
            os.rename(previous, target)  # a death between the two renames
    draft = _draft_of(target, ".tmp")
    draft.mkdir()
    try:
        yield draft
        for file in draft.rglob("*"):
            if file.is_file():
                _flush(file)
        if target.exists():
            os.rename(target, previous)
        try:
            os.rename(draft, target)
        except BaseException:
            if previous.exists():
                os.rename(previous, target)
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    shutil.rmtree(previous, ignore_errors=True)


def previous_of(path: Path) -> Path:
    """Where the folder that stood at ``path`` is kept during an exchange."""
    return path.with_name(f".{path.name}.previous")


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary file name beside ``path``; on success the file is renamed to ``path``."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft_of(target)
    try:
        yield draft
        _flush(draft)
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def created(path: Path, data: bytes) -> bool:
    """Write ``data`` as a file that is not there yet, whole; False where another process was quicker."""
    draft = _draft_of(path)
    try:
        draft.write_bytes(data)
        _flush(draft)
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
        except OSError:  # a file system without links
            if path.exists():
                return False
            os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return True


def is_draft(name: str) -> bool:
    """Whether a file of this name is one that is being written, or was when a process died."""
    return _DRAFT.fullmatch(name) is not None


def _draft_of(target: Path, suffix: str | None = None) -> Path:
    """A temporary name beside ``target``; the suffix of a file stays, as writers tell the format by it."""
    name, suffix = (target.stem, target.suffix) if suffix is None else (target.name, suffix)
    return target.with_name(f".{name}.{uuid.uuid4().hex[:8]}{suffix}")


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
