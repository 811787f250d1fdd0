"""Progress bars for long work; silent when the output is no terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Bar:
    """One bar; ``advance`` is cheap enough to call per step."""

    def __init__(self, progress: Progress, description: str, total: float | None) -> None:
        self._progress = progress
        self._task = progress.add_task(description, total=total, info="")

    def advance(self, by: float = 1.0) -> None:
        self._progress.advance(self._task, by)

    def update(self, completed: float, info: str = "") -> None:
        self._progress.update(self._task, completed=completed, info=info)


@contextmanager
def progress_bar(description: str, total: float | None, *, show: bool = True) -> Iterator[Bar]:
    """A bar on stderr for the time of the block. ``show=False`` hides it."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[info]}"),
    )
    with Progress(*columns, console=console, transient=True, disable=not (show and console.is_terminal)) as progress:
        yield Bar(progress, description, total)
