"""Which installed generators would do, for messages that say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from augsynth.registry import default_registry


def installed_generators(suits: Callable[[Any], bool]) -> str:
    """Names of the installed generators whose :class:`GeneratorSpec` suits, or ``none installed``."""
    registry = default_registry()
    infos = (info for info in registry.plugins() if info.kind == "generator")
    names = [info.name for info in infos if suits(registry.spec("generator", info.qualified))]
    return ", ".join(names) or "none installed"
