"""Draw targets as frequent as the real ones are, or equally often."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from augsynth.seeding import uniform

STREAM = 0x1ABE1


def evenly(classes: Tensor, rows: Tensor) -> Tensor:
    """``rows`` with every class that is among them as often as the most frequent one, its rows in turns.

    Args:
        classes: (n,) class of each of n samples.
        rows: (k,) positions of some of these.
    """
    members = [rows[classes[rows] == c] for c in classes[rows].unique()]
    most = max(map(len, members))
    return torch.cat([own.repeat(most // len(own) + 1)[:most] for own in members])


def by_class(classes: Tensor, n: int) -> tuple[Tensor, Tensor, Tensor]:
    """Positions (k,) sorted by their class (k,) of n, in their order within each; (n,) where each class begins in that,
    and (n,) how many it has."""
    counts = torch.bincount(classes, minlength=n)
    return classes.argsort(stable=True), counts.cumsum(0) - counts, counts


def drawn_by_counts(counts: Sequence[int], seeds: Tensor) -> Tensor:
    """(n,) int64 positions, position i in proportion to ``counts[i]``, by seeds (n,)."""
    weights = torch.tensor(counts, dtype=torch.float64)
    edges = weights.cumsum(0) / weights.sum()
    u = uniform(seeds, stream=STREAM).double()
    return torch.searchsorted(edges, u, right=True).clamp(max=len(weights) - 1)
