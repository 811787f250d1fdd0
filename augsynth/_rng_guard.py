"""Run code that reads global RNGs without leaving a trace in them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def preserved_rng(*, cuda: bool = False) -> Iterator[None]:
    """Restore the global RNGs of Python, NumPy and torch on leaving; those of CUDA devices only if asked.

    And only where CUDA is in use already: to ask it would start it, and no process forked afterwards could use it.
    """
    python, numpy, torch_state = random.getstate(), np.random.get_state(), torch.get_rng_state()
    devices = torch.cuda.get_rng_state_all() if cuda and torch.cuda.is_initialized() else []
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.set_rng_state(torch_state)
        if devices:
            torch.cuda.set_rng_state_all(devices)


def seed_global(seed: int) -> None:
    """Seed the global RNGs of Python, NumPy and torch (CPU). Only inside :func:`preserved_rng`."""
    random.seed(seed)
    np.random.seed((seed ^ (seed >> 32)) & 0xFFFFFFFF)
    torch.default_generator.manual_seed(seed)


def seed_torch(seed: int) -> None:
    """Seed torch's global RNGs: of the CPU, and of the devices in use. Only inside :func:`preserved_rng`.

    ``torch.manual_seed`` would also leave a seed behind for a CUDA that is not in use yet.
    """
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(seed)


@contextmanager
def seeded_globals(seed: int) -> Iterator[None]:
    """Run code that reads the global RNGs of Python, NumPy or torch as if ``seed`` had been set, and restore them."""
    with preserved_rng():
        seed_global(seed)
        yield
