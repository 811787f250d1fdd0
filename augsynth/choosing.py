"""One of many: by their logits, as the next word of a text, or by a seed alone, as one of the samples that are kept."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from augsynth.errors import ConfigError

_WEYL, _FIRST, _SECOND = map(np.uint64, (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_27, _30, _31, _32 = map(np.uint64, (27, 30, 31, 32))


def checked_top_p(top_p: float | None, truncation: float | None = None) -> float | None:
    """``top_p``, or ``truncation`` in its place where it is not given. Raises ConfigError unless it is a share."""
    if top_p is None:
        return None if truncation is None else min(truncation, 1.0)
    if not 0.0 < top_p <= 1.0:
        raise ConfigError(f"top_p={top_p!r}: expected a share in (0, 1], or None for all")
    return top_p


def choose_by_logits(
    logits: Tensor, u: Tensor, *, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Tensor:
    """One of many (n,) int64 for each row of logits (n, many), by inverting the distribution at u (n,) in (0, 1).

    Args:
        temperature: divides the logits; 0 takes the likeliest.
        top_k: choose among so many.
        top_p: choose among the likeliest that together have this probability (Holtzman et al. 2020).
    """
    if temperature == 0:
        return logits.argmax(1)
    if top_k is not None and top_k < logits.shape[1]:
        # nothing after this is of the whole vocabulary, which may have 260,000 words and is long to sort; by number and
        # not by rank, so that two of nearly equal weight do not change places by rounding
        ids = logits.topk(top_k, dim=1).indices.sort(dim=1).values
        place = choose_by_logits(logits.gather(1, ids), u, temperature=temperature, top_p=top_p)
        return ids.gather(1, place[:, None]).squeeze(1)
    logits = logits / temperature
    probabilities = logits.softmax(1)
    if top_p is not None and top_p < 1.0:
        ordered = probabilities.sort(1, descending=True).values
        # the smallest set of tokens that reaches top_p: those no rarer than the one that completes it
        reached = (ordered.cumsum(1) < top_p).sum(1, keepdim=True).clamp(max=ordered.shape[1] - 1)
        probabilities = probabilities.masked_fill(probabilities < ordered.gather(1, reached), 0.0)
    cumulative = probabilities.cumsum(1)
    drawn = torch.searchsorted(cumulative, (u * cumulative[:, -1])[:, None]).squeeze(1)
    return drawn.clamp(max=logits.shape[1] - 1)


def choose_by_seed(seeds: Tensor, counts: Tensor) -> Tensor:
    """One of so many (n,) int64, each below its count (n,), by int64 seeds (n,) on the CPU.

    By the finaliser of SplitMix64 (Steele et al. 2014): ten times as fast as Philox, and good enough to choose among
    samples that are random themselves.
    """
    z = seeds.numpy().view(np.uint64) + _WEYL
    z ^= z >> _30
    z *= _FIRST
    z ^= z >> _27
    z *= _SECOND
    z ^= z >> _31
    z >>= _32
    return torch.from_numpy(z.view(np.int64)) * counts >> 32
