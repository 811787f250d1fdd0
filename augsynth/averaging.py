"""Averages of weights over a fit, which sample better than the last ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def averaged(module: nn.Module, decay: float = 0.999) -> AveragedModel:
    """A copy of ``module`` that holds the exponential moving average of its weights; call ``update_parameters(module)``
    after each update. The decay is warmed up as in TensorFlow's moving average, so that early weights are soon
    forgotten."""
    made = AveragedModel(module, multi_avg_fn=partial(_average, decay=decay))
    made.requires_grad_(False)
    return made


def _average(average: Sequence[Tensor], current: Sequence[Tensor], count: Tensor | int, *, decay: float) -> None:
    count = int(count)
    torch._foreach_lerp_(list(average), list(current), 1.0 - min(decay, (1 + count) / (10 + count)))
