"""Where a batch is written: memory of this process, of several, or that a GPU reads without a copy in between."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Memory = Callable[[Sequence[int], torch.dtype], Tensor]


def plain(shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    """A tensor of ``shape`` that nothing was written into yet."""
    return torch.empty(shape, dtype=dtype)


def pinned(shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    """The same in page-locked memory; needs CUDA."""
    return torch.empty(shape, dtype=dtype, pin_memory=True)


def shared(shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    """The same in memory that other processes can be given, as ``default_collate`` takes it: ``share_memory_()`` would
    first copy what is not written yet."""
    storage = torch.UntypedStorage._new_shared(math.prod(shape) * dtype.itemsize)
    return torch.empty(0, dtype=dtype).set_(storage).view(tuple(shape))
