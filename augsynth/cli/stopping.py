"""Ctrl-C says what is kept, and how to go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from augsynth.cli.telling import tell

STOPPED = 130
"""Exit code of a command that Ctrl-C ended."""


@contextmanager
def kept_when_stopped(kept: str | None) -> Iterator[None]:
    """Say at a Ctrl-C in the block that ``kept``, and that the same command goes on from there; for None, that nothing
    is kept."""
    try:
        yield
    except KeyboardInterrupt:
        told = "nothing was kept" if kept is None else f"{kept}: the same command goes on from there"
        tell(f"stopped; {told}", err=True)
        raise typer.Exit(STOPPED) from None
