"""Public names that are imported at first use."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def homes_of(exports: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Name → module, of module → names."""
    return {name: module for module, names in exports.items() for name in names}


def importer(package: str, namespace: dict[str, Any], homes: Mapping[str, str]) -> Callable[[str], Any]:
    """A ``__getattr__`` (PEP 562) that imports a name from its home, and keeps it.

    Args:
        package: name of the module that is asked, for messages.
        namespace: its ``globals()``.
        homes: name → module.
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(homes[name]), name)
        namespace[name] = value
        return value

    return get
