"""What a shell proposes when Tab is pressed."""

from __future__ import annotations

import warnings

from augsynth.plugin_specs import KINDS


def plugins_named(incomplete: str) -> list[tuple[str, str]]:
    """Names of plugins that begin so, each with its summary."""
    return _named(incomplete, None)


def generators_named(incomplete: str) -> list[tuple[str, str]]:
    """Names of generators that begin so."""
    return _named(incomplete, "generator")


def kinds_named(incomplete: str) -> list[str]:
    """Kinds of plugins that begin so."""
    return [kind for kind in KINDS if kind.startswith(incomplete)]


def _named(incomplete: str, kind: str | None) -> list[tuple[str, str]]:
    from augsynth.registry import plugins

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [info for info in plugins() if info.error is None and kind in (None, info.kind)]
    return sorted({(info.name, info.summary) for info in found if info.name.startswith(incomplete)})
