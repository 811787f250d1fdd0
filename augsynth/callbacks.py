"""Listeners to fitting and to verdicts: loggers and the like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from augsynth.errors import ConfigError


class Callback:
    """Base of callbacks; every method may be left as it is.

    A plain callable ``(step, losses)`` will do where only losses are wanted.
    """

    def __call__(self, step: int, losses: Mapping[str, float]) -> None:
        """Called with the mean losses, every 20 steps of a fit, and with ``validation`` where there is one."""

    def on_fit_end(self, generator: Any) -> None:
        """Called with the fitted generator."""

    def on_result(self, result: Any) -> None:
        """Called with what :func:`evaluate` or :func:`uplift` found; ``result.to_json()`` has every number."""

    def close(self) -> None:
        """Write what is left, and let go of files and connections."""


class Callbacks(Callback):
    """Several as one.

    Args:
        callbacks: None, one, or a sequence: callables ``(step, losses)``, or :class:`Callback`.

    Raises:
        ConfigError: one of them is not callable.
    """

    def __init__(self, callbacks: Any) -> None:
        several = callbacks if isinstance(callbacks, Sequence) else [] if callbacks is None else [callbacks]
        for one in several:
            if not callable(one):
                raise ConfigError(f"callback={one!r}: expected a callable (step, losses), or an augsynth.Callback")
        self._all: list[Callable[..., None]] = list(several)

    def __bool__(self) -> bool:
        return bool(self._all)

    def __call__(self, step: int, losses: Mapping[str, float]) -> None:
        for one in self._all:
            one(step, dict(losses))

    def on_fit_end(self, generator: Any) -> None:
        self._tell("on_fit_end", generator)

    def on_result(self, result: Any) -> None:
        self._tell("on_result", result)

    def _tell(self, name: str, value: Any) -> None:
        for one in self._all:
            listener = getattr(one, name, None)
            if listener is not None:
                listener(value)
