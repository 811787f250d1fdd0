"""Options of readers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from augsynth.errors import ConfigError


def refuse_options(name: str, options: Mapping[str, Any], *known: str) -> None:
    """Raise a ConfigError for an option that is given and that the reader of ``name`` does not know."""
    unknown = [f"--{key.replace('_', '-')}" for key, value in options.items() if value is not None and key not in known]
    if unknown:
        there = ", ".join(f"--{key.replace('_', '-')}" for key in known) or "none"
        raise ConfigError(f"data {name!r} takes no {', '.join(unknown)}; its options are: {there}")


def check_on_bad(on_bad: str) -> None:
    """Raise a ConfigError unless it is "error" or "drop"."""
    if on_bad not in ("error", "drop"):
        raise ConfigError(f"on_bad={on_bad!r}: expected 'error' or 'drop', which leaves out what cannot be read")
