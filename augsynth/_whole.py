"""Whole numbers that a user gives."""

from __future__ import annotations

from typing import Any

from augsynth.errors import ConfigError


def check_whole(*, or_none: bool = False, **given: Any) -> None:
    """Raise a ConfigError that names the argument unless each is a whole number from 1 up, or None where it may be."""
    for name, value in given.items():
        if value is None and or_none:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ConfigError(f"{name}={value!r}: expected a whole number from 1 up")
