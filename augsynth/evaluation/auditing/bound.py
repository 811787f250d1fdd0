"""From guesses who was a member to a lower bound on epsilon."""

from __future__ import annotations

import numpy as np

_LARGEST = 50.0


def probability(candidates: int, guesses: int, correct: int, epsilon: float, delta: float) -> float:
    """How likely so many correct guesses, or more, are at most if the fit is (ε, δ)-private.

    Steinke, Nasr & Jagielski, "Privacy auditing with one (1) training run", NeurIPS 2023, theorem 5.2.

    Args:
        candidates: samples of which each was a member or not by the toss of a coin.
        guesses: of how many of them the attacker says what they are.
        correct: of these, how many rightly.
    """
    from scipy.stats import binom

    right = 1.0 / (1.0 + np.exp(-epsilon))
    tail = float(binom.sf(correct - 1, guesses, right))
    if not correct:
        return 1.0
    ahead = np.arange(1, correct + 1)
    within = np.cumsum(binom.pmf(correct - ahead, guesses, right))
    return min(1.0, tail + float((within / ahead).max()) * delta * 2 * candidates)


def epsilon_bound(candidates: int, guesses: int, correct: int, delta: float, confidence: float) -> float:
    """The largest ε that these guesses refute with this confidence; 0 where they refute none."""
    low, high = 0.0, _LARGEST
    if probability(candidates, guesses, correct, low, delta) > 1.0 - confidence:
        return 0.0
    for _ in range(60):
        middle = (low + high) / 2
        refuted = probability(candidates, guesses, correct, middle, delta) <= 1.0 - confidence
        low, high = (middle, high) if refuted else (low, middle)
    return low
