"""The settings that work is known by when it is gone on with: in words, and what differs between two of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def described(value: Any, depth: int = 4) -> str:
    """``value`` in words that another process finds for the same: its repr, or, where that has an address, its class
    and what it consists of."""
    text = repr(value)
    if not _ADDRESS.search(text):
        return text
    if isinstance(value, partial):
        value = [value.func, value.args, value.keywords]
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(described(one, depth) for one in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {described(one, depth)}' for key, one in value.items())}}}"
    if hasattr(value, "__qualname__"):
        return str(value.__qualname__)
    own = sorted(getattr(value, "__dict__", {}).items()) if depth else []
    return f"{type(value).__qualname__}({', '.join(f'{key}={described(one, depth - 1)}' for key, one in own)})"


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What differs between settings, for messages; empty where nothing does."""
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    return ", ".join(f"{key}={_short(new.get(key))}, there {_short(old.get(key))}" for key in keys)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:50]}..."
