"""What things are called: files after what comes from data, generators in messages and provenance."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

_PLAIN = re.compile(r"[^\w .()+-]")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def file_name(name: str) -> str:
    """``name`` as that of a file or folder: without separators, never ``.`` or ``..``, of at most 100 characters."""
    plain = _PLAIN.sub("-", name).strip(" .")[:100]
    return plain or "unnamed"


def name_of(generator: Any) -> str:
    """The plugin's name of a generator, or of what serves as one; that of its class where it has none."""
    return getattr(generator, "plugin", None) or type(generator).__name__


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
