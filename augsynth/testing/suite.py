"""The checks, by kind of plugin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from augsynth.errors import ConfigError
from augsynth.testing import filter_checks, generator_checks, transform_checks

Check = Callable[[Any], None]

_CHECKS: dict[str, tuple[Check, ...]] = {
    "generator": generator_checks.ALL,
    "transform": transform_checks.ALL,
    "filter": filter_checks.ALL,
}


def checks(kind: str) -> list[Check]:
    """The checks for plugins of ``kind``: ``"generator"``, ``"transform"`` or ``"filter"``."""
    if kind not in _CHECKS:
        raise ConfigError(f"there are no checks for kind {kind!r}; there are some for: {', '.join(_CHECKS)}")
    return list(_CHECKS[kind])
