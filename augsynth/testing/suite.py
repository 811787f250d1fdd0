"""The checks, by kind of plugin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from augsynth.errors import ConfigError
from augsynth.testing import (
    callback_checks,
    filter_checks,
    generator_checks,
    metric_checks,
    modality_checks,
    private_checks,
    source_checks,
    transform_checks,
)

Check = Callable[[Any], None]

_CHECKS: dict[str, tuple[Check, ...]] = {
    "generator": (*generator_checks.ALL, *private_checks.ALL),
    "transform": transform_checks.ALL,
    "filter": filter_checks.ALL,
    "metric": metric_checks.ALL,
    "callback": callback_checks.ALL,
    "modality": modality_checks.ALL,
    "source": source_checks.ALL,
}


def checks(kind: str) -> list[Check]:
    """The checks for plugins of ``kind``: ``"generator"``, ``"transform"``, ``"filter"``, ``"metric"``, ``"callback"``
    or ``"modality"``; and for a ``"source"``, whatever stands where a fitted generator does in a blend: a pool, a
    recording, an object of somebody's own."""
    if kind not in _CHECKS:
        raise ConfigError(f"there are no checks for kind {kind!r}; there are some for: {', '.join(_CHECKS)}")
    return list(_CHECKS[kind])
