"""The way from noise to an image, and back, in steps."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor

import augsynth
from augsynth import authoring
from augsynth_flow.times import even_times, times_between

Velocity = Callable[[Tensor, float, float], Tensor]
"""Where one is (n, C, H, W), when, and until when → the velocity in between, on average."""


def travelled(velocity: Velocity, x: Tensor, start: float, end: float, *, steps: int, solver: str) -> Tensor:
    """``x`` (n, C, H, W) taken from time ``start`` to ``end``.

    Args:
        steps: how many.
        solver: ``"average"``, by average velocities, or ``"heun"``, by those at an instant, two evaluations a step.

    Raises:
        ConfigError: one of them cannot be used.
    """
    authoring.check_whole(sampling_steps=steps)
    if solver not in ("average", "heun"):
        raise augsynth.ConfigError(f"solver={solver!r}: expected 'average' or 'heun'")
    if solver == "average":
        for begun, ended in pairwise(times_between(start, end, steps)):
            x = x + (ended - begun) * velocity(x, begun, ended)
        return x
    for begun, ended in pairwise(even_times(start, end, steps)):
        first = velocity(x, begun, begun)
        tried = x + (ended - begun) * first
        x = x + (ended - begun) * (first + velocity(tried, ended, ended)) / 2
    return x
