"""Values of a recipe given beside its file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from augsynth.errors import ConfigError


def overridden(text: str, values: Mapping[str, Any]) -> str:
    """The text of a recipe with other values, ``{"data.train": "photos/"}``; comments are lost where there are any.

    Raises:
        ConfigError: a key leads through something that has no keys.
    """
    if not values:
        return text
    made = yaml.safe_load(text) or {}
    for path, value in values.items():
        inner, *rest = [made, *path.split(".")]
        for depth, key in enumerate(rest[:-1]):
            inner = inner.setdefault(key, {}) if isinstance(inner, dict) else inner
            if not isinstance(inner, dict):
                raise ConfigError(f"--set {path}: {'.'.join(rest[: depth + 1])} is {inner!r}, and has no keys")
        inner[rest[-1]] = value
    written: str = yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=100)
    return written
