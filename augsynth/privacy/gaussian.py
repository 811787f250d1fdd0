"""The Gaussian mechanism, calibrated exactly, and used once."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from augsynth.errors import BrokenPluginError
from augsynth.privacy.budget import Privacy

COUNTS_SHARE = 0.1  # of the budget, for the numbers of samples by class: without them no class can be weighed
ACCOUNTANT = "analytic Gaussian mechanism (Balle & Wang 2018)"


def noise_multiplier(epsilon: float, delta: float) -> float:
    """The least standard deviation of Gaussian noise, in units of the L2 sensitivity, that is (ε, δ)-private.

    Exact, and for any ε (Balle & Wang, "Improving the Gaussian mechanism for differential privacy", ICML 2018).
    """
    low, high = 1e-3, 1e6
    for _ in range(200):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if spent_delta(middle, epsilon) > delta else (low, middle)
    return high


def spent_delta(multiplier: float, epsilon: float) -> float:
    """The smallest δ at which noise of this multiplier is (ε, δ)-private (Balle & Wang 2018, theorem 8)."""
    half, slope = 0.5 / multiplier, epsilon * multiplier
    return _normal_cdf(half - slope) - math.exp(epsilon) * _normal_cdf(-half - slope)


class Mechanism:
    """All that a private fit may learn of its data passes here, once, and leaves with noise.

    The numbers of samples by class and what the generator asks for are one Gaussian mechanism on one vector: the parts
    share its budget in proportion to their shares, and nothing needs composing.

    Args:
        privacy: the budget; None adds no noise, for a fit that promises nothing.
        classes: (n,) int64 class of each sample, or None.
        num_classes: how many classes there are; 0 without labels.
    """

    def __init__(self, privacy: Privacy | None, classes: Tensor | None, num_classes: int) -> None:
        self.noise_multiplier = 0.0 if privacy is None else noise_multiplier(privacy.epsilon, privacy.delta)
        self._noise = _source(None if privacy is None else privacy.noise_seed)
        self._most = 1 if privacy is None else privacy.max_contributions
        self._share = 1.0
        self.counts: Tensor | None = None
        self.released: list[str] = []
        if classes is not None and num_classes:
            counted = torch.bincount(classes, minlength=num_classes).double()
            self.counts = self._noisy(counted, 1.0, COUNTS_SHARE).clamp(min=1.0)  # one sample is in one class
            self._share = 1.0 - COUNTS_SHARE
            self.released.append("number of samples of each class")

    def release(
        self, parts: Mapping[str, Tensor], sensitivity: Mapping[str, float], shares: Mapping[str, float] | None = None
    ) -> dict[str, Tensor]:
        """Statistics of all samples, with noise. It can be called once.

        Args:
            parts: name, which the statement lists → sums over all samples, of any shape.
            sensitivity: name → the most that adding or removing one sample changes a part, in the L2 norm.
            shares: name → share of the budget; None for equal ones.

        Raises:
            BrokenPluginError: it is called again, or a sensitivity is missing or not positive.
        """
        if self._share == 0.0:
            raise BrokenPluginError("the budget is spent: release() can be called once in a fit")
        wrong = [name for name in parts if not 0.0 < sensitivity.get(name, 0.0) < math.inf]
        if wrong or not parts:
            raise BrokenPluginError(
                f"release() needs a positive sensitivity for each part; {wrong or 'nothing'} has none"
            )
        weights = dict.fromkeys(parts, 1.0) if shares is None else dict(shares)
        total = sum(weights[name] for name in parts)
        made = {
            name: self._noisy(value, sensitivity[name], self._share * weights[name] / total)
            for name, value in parts.items()
        }
        self._share = 0.0
        self.released += list(parts)
        return made

    def _noisy(self, value: Tensor, sensitivity: float, share: float) -> Tensor:
        if not torch.isfinite(value).all():
            raise BrokenPluginError("release() was given NaN or infinite statistics")
        if not self.noise_multiplier:
            return value.float()
        scale = self.noise_multiplier * self._most * sensitivity / math.sqrt(share)
        # the mean of several draws: the grid of floating-point numbers of one draw tells of the value that it was added
        # to (Mironov 2012; Holohan & Braghin 2021)
        drawn = self._noise.standard_normal((4, value.numel())).sum(0) / 2.0
        made: Tensor = (value.double().cpu() + scale * torch.from_numpy(drawn).view(value.shape)).float()
        return made


def _source(noise_seed: int | None) -> np.random.Generator:
    return np.random.default_rng(secrets.randbits(256) if noise_seed is None else noise_seed)


def _normal_cdf(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))
