"""What a private fit may spend."""

from __future__ import annotations

import math
from dataclasses import dataclass

from augsynth.errors import ConfigError

LARGEST_EPSILON = 10.0
"""Above, the guarantee says little: at 10, the odds of what is believed of a person may change 22,000-fold. Ponomareva
et al. ("How to DP-fy ML", 2023) call up to 10 reasonable, and more weak to empty."""


@dataclass(frozen=True)
class Privacy:
    """The budget of :func:`augsynth.fit` for (ε, δ)-differential privacy (Dwork et al. 2006).

    Two datasets are neighbours if one has one sample more than the other, or up to ``max_contributions`` more, all of
    one person. Who gave more than that is protected less, in proportion.

    Args:
        epsilon: bound on the log-odds that any outcome tells of a sample; above 0, up to 10. About 1 is strong.
        delta: probability with which that bound may fail; above 0, below 1 / n. Usual: 1e-5, or less.
        max_contributions: samples that one person has in the data, at most; the noise grows in proportion.
        noise_seed: for tests only. Noise that can be drawn again protects nobody: with a seed, the statement says that
            the guarantee is void. None draws it from the operating system.

    Raises:
        ConfigError: a budget that guarantees nothing, with the reason.
    """

    epsilon: float
    delta: float
    max_contributions: int = 1
    noise_seed: int | None = None

    def __post_init__(self) -> None:
        for name in ("epsilon", "delta"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                raise ConfigError(f"{name}={value!r}: expected a number")
        if self.epsilon <= 0:
            raise ConfigError(f"epsilon={self.epsilon!r}: expected a number above 0; 1 is strong, 10 the largest")
        if self.epsilon > LARGEST_EPSILON:
            raise ConfigError(
                f"epsilon={self.epsilon!r}: expected at most {LARGEST_EPSILON:g}. With more, the guarantee is empty: "
                "the odds of what an attacker believes of a sample may change "
                f"{math.exp(min(self.epsilon, 700)):.2g}-fold. "
                "Fit without privacy= and claim none, or take a budget that means something"
            )
        if not 0.0 < self.delta < 1.0:
            raise ConfigError(f"delta={self.delta!r}: expected a probability above 0, and below 1 / n; usual is 1e-5")
        k = self.max_contributions
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise ConfigError(f"max_contributions={k!r}: expected a whole number from 1 up")
        if self.noise_seed is not None and (isinstance(self.noise_seed, bool) or not isinstance(self.noise_seed, int)):
            raise ConfigError(f"noise_seed={self.noise_seed!r}: expected a whole number, or None")

    def check_for(self, n: int) -> None:
        """Raise a ConfigError where ``delta`` lets a mechanism publish one of ``n`` samples as it is."""
        if self.delta >= 1.0 / n:
            raise ConfigError(
                f"delta={self.delta!r} for {n:,} samples: expected less than 1 / n = {1 / n:.2g}. With more, "
                f"publishing a random sample as it is would count as private; take {0.1 / n:.1g} or less"
            )
