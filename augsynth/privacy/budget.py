"""What a private fit may spend."""

from __future__ import annotations

import math
from dataclasses import dataclass

from augsynth._numbers import check_whole
from augsynth.errors import ConfigError

LARGEST_EPSILON = 10.0
"""Above, the guarantee says little: at 10, the odds of what is believed of a person may change 22,000-fold. Ponomareva
et al. ("How to DP-fy ML", 2023) call up to 10 reasonable, and more weak to empty."""

CLIPPINGS = ("flat", "per_layer")


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
        max_grad_norm: for generators that are fitted by gradient steps (DP-SGD): L2 norm to which the gradient of a
            sample is clipped; None for 1.0.
        clipping: for these, too: ``"flat"`` clips the gradient of all parameters at once, ``"per_layer"`` each
            parameter's by itself, to an equal share of the norm.

    Raises:
        ConfigError: a budget that guarantees nothing, with the reason.
    """

    epsilon: float
    delta: float
    max_contributions: int = 1
    noise_seed: int | None = None
    max_grad_norm: float | None = None
    clipping: str = "flat"

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
        check_whole(max_contributions=self.max_contributions)
        norm = self.max_grad_norm
        if norm is not None and (
            isinstance(norm, bool) or not isinstance(norm, (int, float)) or not 0 < norm < math.inf
        ):
            raise ConfigError(f"max_grad_norm={norm!r}: expected a number above 0, or None")
        if self.clipping not in CLIPPINGS:
            raise ConfigError(f"clipping={self.clipping!r}: expected one of {', '.join(map(repr, CLIPPINGS))}")
        if self.noise_seed is not None and (isinstance(self.noise_seed, bool) or not isinstance(self.noise_seed, int)):
            raise ConfigError(f"noise_seed={self.noise_seed!r}: expected a whole number, or None")

    def check_for(self, n: int) -> None:
        """Raise a ConfigError where ``delta`` lets a mechanism publish one of ``n`` samples as it is."""
        if self.delta >= 1.0 / n:
            raise ConfigError(
                f"delta={self.delta!r} for {n:,} samples: expected less than 1 / n = {1 / n:.2g}. With more, "
                f"publishing a random sample as it is would count as private; take {0.1 / n:.1g} or less"
            )
