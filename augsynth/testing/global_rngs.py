"""Whether code left the global RNGs alone."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch


def global_rngs() -> tuple[Any, ...]:
    """The states of the global RNGs of Python, NumPy and torch."""
    return random.getstate(), np.random.get_state(legacy=False), torch.get_rng_state()


def same_rngs(before: tuple[Any, ...]) -> bool:
    """Whether the global RNGs are still as they were."""
    now = global_rngs()
    words = [[*state[1]["state"]["key"].tolist(), state[1]["state"]["pos"]] for state in (before, now)]
    return before[0] == now[0] and words[0] == words[1] and torch.equal(before[2], now[2])
