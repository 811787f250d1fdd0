"""A transform: multiplicative noise."""

from __future__ import annotations

import numpy as np
from augsynth import ConfigError, authoring


class Speckle(authoring.Transform):
    """Multiply every pixel by a random factor near 1.

    Args:
        amount: standard deviation of the factor.
        value_range: range of float images.
    """

    works_on = "array"  # apply() gets (H, W, C) uint8, whatever the dataset yields

    def __init__(self, *, amount: float = 0.1, value_range: tuple[float, float] = (0.0, 1.0)) -> None:
        super().__init__(value_range=value_range)
        if not 0.0 <= amount <= 1.0:
            raise ConfigError(f"amount={amount!r}: expected a number in [0, 1]")
        self.amount = amount

    def apply(self, image: np.ndarray, seed: int) -> np.ndarray:
        factor = 1.0 + self.amount * np.random.default_rng(seed).standard_normal(image.shape)
        return (image * factor).round().clip(0, 255).astype(np.uint8)
