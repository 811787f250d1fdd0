"""Have glibc keep what is freed, for the next operation."""

from __future__ import annotations

from functools import cache

import torch


@cache
def keep_freed_memory() -> None:
    """Raise the size from which glibc gives freed memory back at once; once, for the whole process and its forks.

    The activations of a batch are blocks of several MiB. By default whether each is mapped, cleared and touched anew
    depends on what else the process keeps: in workers of a loader that took up to a quarter of the time of a GAN, and
    in the threads of a live pool a tenth. Freeing a block of nearly 32 MiB raises the thresholds (see M_MMAP_THRESHOLD
    in mallopt(3)), so that at most 62 MiB stay unused; with other allocators it does nothing.
    """
    torch.empty(31 * 2**20, dtype=torch.uint8, device="cpu")
