"""Spans of time as people write them."""

from __future__ import annotations

import re

from augsynth.errors import ConfigError

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(duration: str | float) -> float:
    """Seconds of ``90``, ``"90s"``, ``"5m"``, ``"1.5h"`` or ``"1h30m"``.

    Raises:
        ConfigError: not of that form, or not positive.
    """
    if isinstance(duration, str):
        text = duration.strip().lower()
        parts = re.findall(r"(\d+(?:\.\d+)?)\s*([smh]?)", text)
        if "".join(n + u for n, u in parts) != text.replace(" ", "") or not parts:
            raise ConfigError(f"duration {duration!r}: expected seconds, or such as '90s', '5m', '1h30m'")
        value = sum(float(number) * _UNITS[unit or "s"] for number, unit in parts)
    else:
        value = float(duration)
    if not 0.0 < value < float("inf"):
        raise ConfigError(f"duration {duration!r}: expected a positive time")
    return value


def told(span: float) -> str:
    """A span of seconds for people, to two figures or so: ``"40 s"``, ``"3 min"``, ``"1 h 20 min"``."""
    if span < 90:
        return f"{max(1, round(span))} s"
    minutes = round(span / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
