"""Whether one arm is better than another, over paired seeds, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_WORDS = {
    "helps": "helped",
    "hurts": "did not help: it lowered the {metric}",
    "no difference": "made no clear difference",
}


@dataclass(frozen=True)
class Comparison:
    """A paired comparison.

    Attributes:
        word: ``"helps"``, ``"hurts"`` or ``"no difference"``.
        difference: mean gain, in the unit of the scores.
        interval: its confidence interval.
        level: of confidence, 0.95 for 95 %.
        sentence: the same for people.
    """

    word: str
    difference: float
    interval: tuple[float, float]
    level: float
    sentence: str


def mean_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float, float]:
    """Mean and Student's t interval of the mean of independent values; an unbounded one for a single value."""
    from scipy import stats  # comes with scikit-learn

    n = len(values)
    mean = math.fsum(values) / n
    if n < 2:
        return mean, -math.inf, math.inf
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    half = float(stats.t.ppf(0.5 + level / 2, n - 1)) * deviation / math.sqrt(n)
    return mean, mean - half, mean + half


def compare(
    baseline: Sequence[float],
    candidate: Sequence[float],
    *,
    what: str,
    metric: str = "test accuracy",
    level: float = 0.95,
) -> Comparison:
    """Compare the scores of equal seeds by Student's t interval of the paired differences.

    Args:
        baseline, candidate: one score in [0, 1] per seed, at least two.
        what: names the comparison, to begin the sentence with.
        metric: names the score.
        level: of confidence.
    """
    gains = [b - a for a, b in zip(baseline, candidate, strict=True)]
    mean, low, high = mean_interval(gains, level)
    word = "helps" if low > 0 else "hurts" if high < 0 else "no difference"
    sentence = (
        f"{what} {_WORDS[word].format(metric=metric)}: {mean * 100:+.2f} percentage points of {metric}, "
        f"{level * 100:g} % confidence interval [{low * 100:+.2f}, {high * 100:+.2f}] over {len(gains)} seeds."
    )
    return Comparison(word, mean, (low, high), level, sentence)
