"""A measured number with its uncertainty, and the same number for real data against real data."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Interval = tuple[float, float]


@dataclass(frozen=True)
class Figure:
    """One measure.

    Attributes:
        name: with the feature extractor in it where there is one: ``"frechet_distance[classifier]"``.
        value: of the generated samples.
        interval: 95 %.
        floor: the same measure with real training samples, or held-out ones, in place of the generated; None where
            there is no such thing.
        floor_interval: 95 %.
        n: number of generated samples.
        better: ``"lower"``, ``"higher"``, or ``"near the floor"``.
        note: what it is, in a sentence.
    """

    name: str
    value: float
    interval: Interval
    floor: float | None
    floor_interval: Interval | None
    n: int
    better: str
    note: str


def halves(n: int, draws: int, seed: int) -> list[np.ndarray]:
    """Half of n rows without replacement, ``draws`` times: for intervals by the delete-half jackknife.

    The spread of a statistic over half-samples estimates that of the statistic on all rows (Shao & Wu 1989). Draws with
    replacement would not do: a row that is drawn twice is its own nearest neighbour.
    """
    generator = np.random.default_rng(seed)
    return [generator.permutation(n)[: max(2, n // 2)] for _ in range(draws)]


def spread(statistic: Callable[[np.ndarray], float], rows: list[np.ndarray], value: float) -> Interval:
    """95 % interval of a statistic whose value on all rows is ``value``: the deviations of its half-samples from their
    mean, so that a bias that depends on the number of rows cancels."""
    values = np.array([statistic(part) for part in rows])
    low, high = np.quantile(values - values.mean(), [0.025, 0.975])
    return float(value - high), float(value - low)


def resampled_mean(values: np.ndarray) -> tuple[float, Interval]:
    """Mean of independent values and its 95 % interval (normal approximation)."""
    mean = float(np.mean(values))
    half = 1.96 * float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.inf
    return mean, (mean - half, mean + half)


def wilson(successes: float, n: int, z: float = 1.959964) -> Interval:
    """Interval of a share (Wilson 1927), sound for small n and shares near 0 or 1; at 95 %, or that of another z."""
    if n == 0:
        return 0.0, 1.0
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # at the ends, the bound is the end itself, and not the rounding next to it
    return (0.0 if successes == 0 else max(0.0, centre - half)), (1.0 if successes == n else min(1.0, centre + half))


def difference(successes: float, n: int, others: float, m: int, z: float = 1.959964) -> Interval:
    """95 % interval of a share less another, of other samples (Newcombe 1998, method 10)."""
    p, q = successes / max(n, 1), others / max(m, 1)
    (low, high), (below, above) = wilson(successes, n, z), wilson(others, m, z)
    return p - q - math.hypot(p - low, above - q), p - q + math.hypot(high - p, q - below)


def share(mask: Any) -> tuple[float, Interval]:
    """Share of True, and its interval."""
    mask = np.asarray(mask, dtype=bool)
    return float(mask.mean()) if len(mask) else 0.0, wilson(float(mask.sum()), len(mask))


def auc(positive: np.ndarray, negative: np.ndarray) -> tuple[float, Interval]:
    """Area under the ROC curve of scores, and its 95 % interval (Hanley & McNeil 1982)."""
    from sklearn.metrics import roc_auc_score

    n, m = len(positive), len(negative)
    a = float(roc_auc_score(np.r_[np.ones(n), np.zeros(m)], np.r_[positive, negative]))
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    half = 1.96 * math.sqrt(max(0.0, (a * (1 - a) + (n - 1) * (q1 - a * a) + (m - 1) * (q2 - a * a)) / (n * m)))
    return a, (max(0.0, a - half), min(1.0, a + half))
