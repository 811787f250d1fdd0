"""Whether blending helped, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """A paired comparison over seeds.

    Attributes:
        word: ``"helps"``, ``"hurts"`` or ``"no difference"``.
        difference: mean gain in accuracy, in [-1, 1].
        interval: its 95 % confidence interval.
        sentence: the same for people.
    """

    word: str
    difference: float
    interval: tuple[float, float]
    sentence: str


def compare(baseline: Sequence[float], blended: Sequence[float], *, what: str) -> Verdict:
    """Compare accuracies of equal seeds by Student's t interval of the paired differences.

    Args:
        baseline, blended: one accuracy per seed, at least two.
        what: names the comparison, to begin the sentence with.
    """
    from scipy import stats  # comes with scikit-learn

    gains = [b - a for a, b in zip(baseline, blended, strict=True)]
    n = len(gains)
    mean = sum(gains) / n
    deviation = math.sqrt(sum((gain - mean) ** 2 for gain in gains) / (n - 1))
    half = float(stats.t.ppf(0.975, n - 1)) * deviation / math.sqrt(n)
    low, high = mean - half, mean + half
    word = "helps" if low > 0 else "hurts" if high < 0 else "no difference"
    told = {
        "helps": "helped",
        "hurts": "did not help: it lowered the accuracy",
        "no difference": "made no clear difference",
    }[word]
    sentence = (
        f"{what} {told}: {mean * 100:+.2f} percentage points of test accuracy, "
        f"95 % confidence interval [{low * 100:+.2f}, {high * 100:+.2f}] over {n} seeds."
    )
    return Verdict(word, mean, (low, high), sentence)
