"""The last layer of a language model, which gives every token of a vocabulary its logit: often half of all work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

import augsynth


def multiply_at_once(model: Any) -> None:
    """Have the last layer of ``model`` multiply one matrix.

    The states of a part of the tokens lie apart in memory, and torch then multiplies text by text, and reads the
    weights of the whole vocabulary for each.
    """
    head = model.get_output_embeddings()
    if isinstance(head, nn.Module):
        head.register_forward_pre_hook(_joined)


@contextmanager
def only(model: Any, wanted: Tensor) -> Iterator[None]:
    """Within it, ``model`` gives logits (1, k, vocabulary) of the k tokens that are ``wanted`` alone.

    Args:
        wanted: (n, t) truth values, of the t tokens that it would give logits of.

    Raises:
        CapabilityError: the model has no such layer.
    """
    head = model.get_output_embeddings()
    if not isinstance(head, nn.Module):
        raise augsynth.CapabilityError(
            f"{type(model).__name__} has no last layer that gives a vocabulary its logits: choose another model"
        )
    handle = head.register_forward_pre_hook(lambda _, given: (given[0][wanted][None],))
    try:
        yield
    finally:
        handle.remove()


def _joined(_: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
    return (given[0].contiguous(), *given[1:])
