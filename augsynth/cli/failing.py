"""What the command line says when something goes wrong: a line, never a traceback."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from augsynth._version import __version__

DEBUG = "AUGSYNTH_DEBUG"


def report_bug(error: Exception) -> str:
    """What to say of an error that augsynth did not raise on purpose; its traceback is written to a file."""
    told = f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
    return (
        f"this is a mistake in augsynth, or in a plugin, and not yours: {told}\n"
        f"Please report it{_where()}, with what you typed and {_written(error)}"
    )


def _written(error: Exception) -> str:
    text = "".join(traceback.format_exception(error))
    head = f"augsynth {__version__}, Python {sys.version.split()[0]}, {sys.platform}\n{' '.join(sys.argv)}\n\n"
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="augsynth-error-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(head + text)
        return f"the traceback in {Path(file.name)} ({DEBUG}=1 shows it here)"
    except OSError:
        return f"the traceback that {DEBUG}=1 shows"


def _where() -> str:
    """Where this distribution says that issues are told."""
    try:
        urls = metadata("augsynth").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    found = next((url.partition(",")[2].strip() for url in urls if url.lower().startswith("issues,")), "")
    return f" at {found}" if found else " where you have augsynth from"


def debugging() -> bool:
    """Whether tracebacks are wanted."""
    return os.environ.get(DEBUG) == "1"
