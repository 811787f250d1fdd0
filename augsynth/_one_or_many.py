"""Tell one condition for all samples from one for each."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

import numpy as np
from torch import Tensor

from augsynth.errors import ConfigError


def is_one(value: Any) -> bool:
    """Whether ``value`` is a single label or topic, rather than several."""
    if isinstance(value, (Tensor, np.ndarray)):
        return value.ndim == 0
    return isinstance(value, (str, np.generic)) or not hasattr(value, "__len__")


def check_in_order(name: str, value: Any) -> None:
    """Raise where several come without an order, or with numbers of their own, which nobody would look at."""
    if isinstance(value, (Mapping, Set)):
        raise ConfigError(
            f"{name}={value!r}: expected one for all samples, or a sequence with one for each; three of one and one of "
            "another are [one] * 3 + [another]"
        )


def number_asked(n: int | None, labels: Any, seeds: Any) -> int:
    """How many samples are asked for: n, else as many as there are labels or seeds, else one."""
    if n is not None:
        return n
    several = next((value for value in (labels, seeds) if value is not None and not is_one(value)), None)
    return 1 if several is None else len(several)
