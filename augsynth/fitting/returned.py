"""What the methods of an author give back to the fit, checked: a fault is told with the method that it is in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from augsynth._names import name_of
from augsynth.errors import BrokenPluginError


def optimizers_of(generator: Any) -> dict[str, torch.optim.Optimizer]:
    """What ``optimizers()`` returns. Raises BrokenPluginError where they are none by name."""
    made = generator.optimizers()
    if not isinstance(made, Mapping):
        raise _broken(generator, "optimizers()", _told(made), "a dict {'model': optimizer}")
    for name, one in made.items():
        if not isinstance(one, torch.optim.Optimizer):
            raise _broken(generator, "optimizers()", f"{_told(one)} as {name!r}", "an optimizer of torch")
    return dict(made)


def losses_of(generator: Any, batch: Any) -> dict[str, Tensor]:
    """What ``training_step(batch)`` returns. Raises BrokenPluginError where it is no dict of single numbers."""
    made = generator.training_step(batch)
    if not isinstance(made, Mapping):
        raise _broken(generator, "training_step(batch)", _told(made), "a dict {'loss': tensor of one value}")
    for name, loss in made.items():
        _check_single(generator, name, loss)
    return dict(made)


def with_gradient(generator: Any, loss: Tensor, name: str = "loss") -> Tensor:
    """``loss`` itself. Raises BrokenPluginError where nothing can be learnt from it."""
    _check_single(generator, name, loss)
    if not loss.requires_grad:
        raise BrokenPluginError(
            f"training_step(batch) of {name_of(generator)}: {name!r} has no gradient; it was detached, made under "
            "torch.no_grad(), or depends on no parameter"
        )
    return loss


def _check_single(generator: Any, name: str, loss: Any) -> None:
    if not isinstance(loss, Tensor) or loss.numel() != 1:
        raise _broken(generator, "training_step(batch)", f"{_told(loss)} as {name!r}", "a tensor of one value")


def _broken(generator: Any, method: str, found: str, expected: str) -> BrokenPluginError:
    return BrokenPluginError(f"{method} of {name_of(generator)} gave {found}, expected {expected}")


def _told(value: Any) -> str:
    return f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
