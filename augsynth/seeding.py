"""Random numbers that are a function of a seed and a position, and of nothing else.

Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), written with integer
tensor operations: a counter goes in, random bits come out. There is no state, so a sample's numbers depend on
its own seed, never on the batch it stands in, the worker it is made by, or what was drawn before; a whole batch
is one vectorised call, and the bits are the same on every device.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import torch
from torch import Tensor

from augsynth._philox_cuda import fused
from augsynth.errors import ConfigError
from augsynth.normal_quantile import normal_quantile

_MASK = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_NOISE, _UNIFORM, _DERIVE = 1, 2, 3  # domains that never share a counter


_tracing: ContextVar[bool] = ContextVar("tracing", default=False)


@contextmanager
def traceable() -> Iterator[None]:
    """While this is open, all is made of operators of torch that an exporter knows; the numbers are the same."""
    before = _tracing.set(True)
    try:
        yield
    finally:
        _tracing.reset(before)


def is_tracing() -> bool:
    """Whether :func:`traceable` is open."""
    return _tracing.get()


def philox(key: Tensor, counter: Sequence[Tensor | int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Philox4x32-10.

    Args:
        key: int64 seeds, any shape; all 64 bits are used.
        counter: four values below 2**32, ints or int64 tensors that broadcast against ``key``.

    Returns:
        four int64 tensors of 32 random bits each, of the broadcast shape.
    """
    if key.device.type == "cpu" and not _tracing.get():
        # the same rounds on NumPy arrays: three times faster than torch's operators on small ones
        parts = [c.numpy() if isinstance(c, Tensor) else np.int64(c) for c in counter]
        with np.errstate(over="ignore"):
            arrays = np.broadcast_arrays(*_rounds(key.numpy(), *parts))
        return tuple(torch.from_numpy(np.array(one)) for one in arrays)  # type: ignore[return-value]
    # numbers are filled in by a kernel: a copy from the host could not be captured in a CUDA graph
    filled = (c if isinstance(c, Tensor) else torch.full((), c, dtype=torch.int64, device=key.device) for c in counter)
    placed = [part.to(key.device) for part in filled]
    words = fused(key, placed) if key.is_cuda and not _tracing.get() else None
    return words or torch.broadcast_tensors(*_rounds(key, *placed))


def _rounds(key: Any, c0: Any, c1: Any, c2: Any, c3: Any) -> tuple[Any, Any, Any, Any]:
    """The ten rounds, on int64 arrays of NumPy or torch."""
    k0, k1 = key & _MASK, (key >> 32) & _MASK
    for _ in range(_ROUNDS):
        # int64 products wrap modulo 2**64, so the low and the high word come out as for unsigned numbers
        p0, p1 = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1, c2, c3 = ((p1 >> 32) & _MASK) ^ c1 ^ k0, p1 & _MASK, ((p0 >> 32) & _MASK) ^ c3 ^ k1, p0 & _MASK
        k0, k1 = (k0 + _WEYL[0]) & _MASK, (k1 + _WEYL[1]) & _MASK
    return c0, c1, c2, c3


def derive(seeds: Tensor | int, *path: Tensor | int) -> Tensor:
    """New seeds from old ones and a path of positions: ``derive(seed, epoch, index)``.

    Args:
        seeds: an int or an int64 tensor.
        path: ints or int64 tensors that broadcast against ``seeds``.

    Returns:
        int64 seeds in [0, 2**63), a pure function of the arguments.
    """
    key = torch.as_tensor(seeds, dtype=torch.int64)
    for depth, step in enumerate(path):
        position = torch.as_tensor(step, dtype=torch.int64, device=key.device)
        low, high, _, _ = philox(key, (position & _MASK, (position >> 32) & _MASK, depth, _DERIVE))
        key = ((high & 0x7FFFFFFF) << 32) | low
    return key


def child_seed(seed: int, position: int) -> int:
    """A seed for the part ``position`` of a transform that has several."""
    return int(derive(seed, position))


def uniform(seeds: Tensor, shape: Sequence[int] = (), *, stream: int = 0) -> Tensor:
    """Uniform numbers in the open interval (0, 1), each row from its own seed.

    Args:
        seeds: (n,) int64.
        shape: shape of one sample.
        stream: draws with another number are independent of these.

    Returns:
        (n, \\*shape) float32 on the device of ``seeds``.
    """
    # 23 bits and a half: every value and its distance to 1 are exact in float32, so 0 and 1 never occur
    return ((_words(seeds, shape, stream, _UNIFORM) >> 9).float() + 0.5) * 2.0**-23


def noise(seeds: Tensor, shape: Sequence[int] = (), *, stream: int = 0, truncation: float | None = None) -> Tensor:
    """Standard normal numbers, each row from its own seed.

    Args:
        seeds: (n,) int64.
        shape: shape of one sample.
        stream: draws with another number are independent of these.
        truncation: None, or a bound t > 0: the normal distribution is then cut to [-t, t] (not clipped), as for
            the truncation trick of BigGAN (Brock et al. 2019).

    Returns:
        (n, \\*shape) float32 on the device of ``seeds``.
    """
    # The inverse of the distribution function in double precision: no tail is lost, and the result rounds to the
    # same float32 on every device.
    u = (_words(seeds, shape, stream, _NOISE).double() + 0.5) * 2.0**-32
    if truncation is not None:
        if not truncation > 0:
            raise ConfigError(f"truncation={truncation!r}: expected a positive number or None")
        tail = 0.5 * math.erfc(truncation / math.sqrt(2.0))
        u = tail + (1.0 - 2.0 * tail) * u
    return (normal_quantile(u) if _tracing.get() else torch.special.ndtri(u)).float()


def _words(seeds: Tensor, shape: Sequence[int], stream: int, domain: int) -> Tensor:
    """(n, *shape) int64 with 32 random bits each; element e of a row depends on its seed and on e alone."""
    if seeds.ndim != 1 or seeds.dtype != torch.int64:
        raise ConfigError(f"seeds: expected an int64 tensor of shape (n,), got {seeds.dtype} of {tuple(seeds.shape)}")
    size = math.prod(shape)
    blocks = torch.arange((size + 3) // 4, dtype=torch.int64, device=seeds.device)
    words = torch.stack(philox(seeds[:, None], (blocks, stream & _MASK, 0, domain)), dim=-1)  # (n, blocks, 4)
    return words.flatten(1)[:, :size].reshape(seeds.shape[0], *shape)


def seeds_for(n: int, *, seed: int | None = None, seeds: Tensor | Sequence[int] | None = None) -> Tensor:
    """(n,) int64 seeds: those given, or derived from ``seed`` and the position, or from torch's RNG if both are None.

    Raises:
        ConfigError: ``seed`` and ``seeds`` are both given, or ``seeds`` has another length or is not integral.
    """
    if seeds is not None:
        if seed is not None:
            raise ConfigError("seed and seeds are both given: pass one of them")
        given = torch.as_tensor(seeds)
        if given.is_floating_point() or given.shape != (n,):
            raise ConfigError(f"seeds: expected {n} integers, got {given.dtype} of shape {tuple(given.shape)}")
        return given.to(torch.int64)
    base = torch.randint(2**62, ()) if seed is None else torch.tensor(check_seed(seed))
    return derive(base, torch.arange(n))


def given_or_drawn(seed: int | None) -> int:
    """``seed``, or one from torch's RNG for None."""
    return int(torch.randint(2**62, ())) if seed is None else seed


def check_seed(seed: int) -> int:
    """``seed`` as a Python int of at most 63 bits, or a ConfigError."""
    try:
        value = int(seed)
    except (TypeError, ValueError):
        raise ConfigError(f"seed={seed!r}: expected an integer") from None
    if value != seed or not -(2**63) <= value < 2**63 or isinstance(seed, bool):
        raise ConfigError(f"seed={seed!r}: expected an integer of at most 64 bits")
    return value
