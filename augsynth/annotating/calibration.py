"""How sure a judge may be: probabilities made honest, and from where on it is right often enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_LEAST = 1e-12
_SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """(n, classes) probabilities, flatter with a temperature above 1."""
    logits = np.log(np.maximum(probabilities, _LEAST)) / temperature
    made = np.exp(logits - logits.max(1, keepdims=True))
    calibrated: np.ndarray = made / made.sum(1, keepdims=True)
    return calibrated


def fitted_temperature(probabilities: np.ndarray, classes: np.ndarray) -> float:
    """The temperature with the least negative log-likelihood of held-out ``classes`` (n,) (Guo et al., "On calibration
    of modern neural networks", 2017)."""
    from scipy.optimize import minimize_scalar

    def loss(log_temperature: float) -> float:
        said = tempered(probabilities, float(np.exp(log_temperature)))[np.arange(len(classes)), classes]
        return float(-np.log(np.maximum(said, _LEAST)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded").x))


@dataclass(frozen=True)
class Threshold:
    """From what confidence on labels are given.

    Attributes:
        value: the confidence; above 1 where none is enough.
        right, of: how many held-out labelled samples at least so sure were right, and how many there were.
        low: lower bound on the share that is right.
    """

    value: float
    right: int
    of: int
    low: float


def threshold_for(confidence: np.ndarray, right: np.ndarray, precision: float, assurance: float) -> Threshold:
    """The lowest confidence from which on at least ``precision`` of the labels are right, with ``assurance``.

    Looked at are the surest fifth of the held-out samples, two fifths, and so on. The bound of each is that of Clopper
    & Pearson 1934, one-sided, at a fifth of the error allowed, which pays for the choice among the five (Bonferroni).

    Args:
        confidence: (n,) of held-out labelled samples.
        right: (n,) bool, whether the judge had their label.
    """
    from scipy.stats import beta

    sure = np.sort(confidence)[::-1]
    best = Threshold(float("inf"), 0, 0, 0.0)
    for share in _SHARES:
        value = float(sure[max(0, round(share * len(sure)) - 1)])
        above = confidence >= value
        n, k = int(above.sum()), int((right & above).sum())
        low = float(beta.ppf((1 - assurance) / len(_SHARES), k, n - k + 1)) if k else 0.0
        if low >= precision:
            best = Threshold(value, k, n, low)
    return best
