"""Philox4x32-10 as one CUDA kernel: written with operators of torch it is some 180 launches, which take a GPU longer
than the small networks that are fed with it.

The kernel is made by torch's own run-time compiler for element-wise operations (``torch.cuda.jiterator``: in beta, so
nothing relies on it). Where it cannot be had the operators do the same work.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

log = logging.getLogger("augsynth")

# a right shift is written as a division: torch looks for the name of the function behind the last ">"
_CODE = """
template <typename T>
void philox(T key, T a, T b, T c, T d, T& first, T& second, T& third, T& fourth) {
    unsigned int k0 = (unsigned int)key, k1 = (unsigned int)((unsigned long long)key / 4294967296ull);
    unsigned int c0 = (unsigned int)a, c1 = (unsigned int)b, c2 = (unsigned int)c, c3 = (unsigned int)d;
    for (int round = 0; round != 10; ++round) {
        unsigned int high0 = __umulhi(0xD2511F53u, c0), low0 = 0xD2511F53u * c0;
        unsigned int high1 = __umulhi(0xCD9E8D57u, c2), low1 = 0xCD9E8D57u * c2;
        c0 = high1 ^ c1 ^ k0;
        c1 = low1;
        c2 = high0 ^ c3 ^ k1;
        c3 = low0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    first = (T)c0;
    second = (T)c1;
    third = (T)c2;
    fourth = (T)c3;
}
"""


def fused(key: Tensor, counter: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor] | None:
    """As :func:`augsynth.seeding.philox`, for int64 tensors of one CUDA device; None where no kernel can be had."""
    kernel = None if _broken else _kernel()
    if kernel is None or key.numel() == 0 or any(part.numel() == 0 for part in counter):
        return None
    try:
        first, second, third, fourth = kernel(key, *counter)
        return first, second, third, fourth
    except Exception as error:  # whatever a compiler says: without the kernel it is slower, and right
        log.info("random numbers are made without a kernel of their own: %s", error)
        _broken.append(str(error))  # not itself: it would keep the tensors
        return None


_broken: list[str] = []


@lru_cache(maxsize=1)
def _kernel() -> Callable[..., Any] | None:
    make = getattr(getattr(torch.cuda, "jiterator", None), "_create_multi_output_jit_fn", None)
    return None if make is None else make(_CODE, num_outputs=4)
