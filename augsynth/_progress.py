"""Progress bars for long work, and beforehand how long it will take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from augsynth._duration import told

_LONG = 60.0  # seconds that are left: what takes less needs no forecast
_KNOWN_AFTER = 5.0  # seconds


class Bar:
    """One bar; ``advance`` is cheap enough to call per step."""

    def __init__(
        self, progress: Progress, description: str, total: float | None, *, show: bool, at_once: int = 1
    ) -> None:
        self._progress, self._at_once = progress, at_once
        self._description, self._total = description, total
        self._task = progress.add_task(description, total=total, info="")
        self._completed, self._first = 0.0, 0.0
        self._begun: float | None = None
        self._silent = not show or total is None

    def advance(self, by: float = 1.0) -> None:
        self._progress.advance(self._task, by)
        self._forecast(self._completed + by)

    def update(self, completed: float, info: str = "") -> None:
        self._progress.update(self._task, completed=completed, info=info)
        self._forecast(completed)

    def _forecast(self, completed: float) -> None:
        """Say once how long the rest will take, where that is long; also where there is no terminal for a bar."""
        if self._silent or self._total is None:
            return
        now, self._completed = time.monotonic(), completed
        if self._begun is None:  # until now it was made ready, or it goes on from where it was
            self._begun, self._first = now, completed
            return
        passed, done = now - self._begun, completed - self._first
        if passed < _KNOWN_AFTER or done <= self._at_once - 1:
            return
        self._silent = True
        left = (self._total - completed) * passed / done
        if left >= _LONG:
            self._progress.console.print(f"{self._description}: at most about {told(left)} left", highlight=False)


def say(line: str, *, show: bool = True) -> None:
    """A line on stderr, terminal or not."""
    if show:
        Console(stderr=True).print(line, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def progress_bar(description: str, total: float | None, *, show: bool = True, at_once: int = 1) -> Iterator[Bar]:
    """A bar on stderr for the time of the block, and a line that says how long it will take where that is over a
    minute. ``show=False`` hides both; the bar is for terminals only.

    Args:
        description: what is done.
        total: how many things, or None.
        at_once: how many are done side by side: when the first is done, others nearly are.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[info]}"),
    )
    with Progress(*columns, console=console, transient=True, disable=not (show and console.is_terminal)) as progress:
        yield Bar(progress, description, total, show=show, at_once=at_once)
