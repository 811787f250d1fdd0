"""A small dense classifier of tensors of any shape."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn

_HIDDEN = 128


class DenseClassifier(nn.Module):
    """Two hidden layers of 128 units.

    Args:
        shape: of one sample.
        outputs: number of classes.
    """

    def __init__(self, shape: Sequence[int], outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Flatten(), nn.Linear(math.prod(shape), _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, _HIDDEN), nn.ReLU()
        )
        self.head = nn.Linear(_HIDDEN, outputs)

    def features(self, x: Tensor) -> Tensor:
        """(n, ...) float32 to (n, 128), what the last layer sees."""
        hidden: Tensor = self.body(x)
        return hidden

    def forward(self, x: Tensor) -> Tensor:
        """(n, ...) float32 to logits (n, outputs)."""
        logits: Tensor = self.head(self.features(x))
        return logits
