"""Tell one condition for all samples from one for each."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor


def is_one(value: Any) -> bool:
    """Whether ``value`` is a single label or topic, rather than several."""
    if isinstance(value, (Tensor, np.ndarray)):
        return value.ndim == 0
    return isinstance(value, (str, np.generic)) or not hasattr(value, "__len__")
