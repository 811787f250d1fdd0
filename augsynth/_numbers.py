"""Numbers that a user gives: each is checked by name."""

from __future__ import annotations

import math
from typing import Any

from augsynth.errors import ConfigError


def check_whole(least: int = 1, /, *, or_none: bool = False, **given: Any) -> None:
    """Raise a ConfigError that names the setting unless each is a whole number from ``least`` up.

    Args:
        or_none: whether None will do, too.
        given: the settings, by name.
    """
    for name, value in given.items():
        if value is None and or_none:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            others = ", or None" if or_none else ""
            raise ConfigError(f"{name}={value!r}: expected a whole number from {least} up{others}")


def checked_epoch(epoch: Any) -> int:
    """The number of an epoch as an int. Raises a ConfigError unless it is a whole number from 0 up."""
    try:
        whole = int(epoch)
    except (TypeError, ValueError, OverflowError):
        whole = -1
    if isinstance(epoch, bool) or whole != epoch or not 0 <= whole < 2**32:
        raise ConfigError(f"epoch={epoch!r}: expected a whole number from 0 up")
    return whole


def check_positive(*, or_zero: bool = False, **given: Any) -> None:
    """Raise a ConfigError that names the setting unless each is a finite number above 0.

    Args:
        or_zero: whether 0 will do, too.
        given: the settings, by name.
    """
    for name, value in given.items():
        if not _is_finite(value) or value < 0 or (value == 0 and not or_zero):
            raise ConfigError(f"{name}={value!r}: expected a number {'from 0 up' if or_zero else 'above 0'}")


def check_shares(*, below_one: bool = False, **given: Any) -> None:
    """Raise a ConfigError that names the setting unless each is in [0, 1].

    Args:
        below_one: whether 1 will not do.
        given: the settings, by name.
    """
    for name, value in given.items():
        if not _is_finite(value) or not 0.0 <= value <= 1.0 or (value == 1.0 and below_one):
            raise ConfigError(f"{name}={value!r}: expected a share in [0, 1{')' if below_one else ']'}")


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
