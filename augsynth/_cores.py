"""How many processes make sense."""

from __future__ import annotations

import math
import os
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")


def usable_cores() -> int:
    """The cores that this process may use, where the system tells; else those that there are.

    A container may be given the time of fewer cores than it sees (``docker run --cpus 2``): as many processes as it
    sees would wait for one another.
    """
    seen = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    given = _given()
    return seen if given is None else max(1, min(seen, math.ceil(given)))


def _given() -> float | None:
    """The cores whose time a container is given, by the second version of control groups or by the first; None for no
    limit, and where there are none."""
    try:
        quota, period = (_CGROUPS / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota, period = ((_CGROUPS / "cpu" / f"cpu.cfs_{one}_us").read_text() for one in ("quota", "period"))
        except (OSError, ValueError):
            return None
    try:
        cores = float(quota) / float(period)
    except (ValueError, ZeroDivisionError):  # "max"
        return None
    return cores if cores > 0 else None
