"""Draw targets as frequent as the real ones are."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from augsynth.seeding import uniform

STREAM = 0x1ABE1


def drawn_by_counts(counts: Sequence[int], seeds: Tensor) -> Tensor:
    """(n,) int64 positions, position i in proportion to ``counts[i]``, by seeds (n,)."""
    weights = torch.tensor(counts, dtype=torch.float64)
    edges = weights.cumsum(0) / weights.sum()
    u = uniform(seeds, stream=STREAM).double()
    return torch.searchsorted(edges, u, right=True).clamp(max=len(weights) - 1)
