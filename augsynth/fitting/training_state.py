"""All that fitting needs to go on where it stopped, as plain data: no pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from augsynth.errors import CheckpointError

_TENSORS, _REST = "training.safetensors", "training.json"


def flatten(tree: Any, prefix: str, tensors: dict[str, Tensor]) -> Any:
    """Replace the tensors in nested dicts and lists by their names, collecting them in ``tensors``."""
    if isinstance(tree, Tensor):
        tensors[prefix] = tree.detach().cpu().contiguous().clone()
        return {"__tensor__": prefix}
    if isinstance(tree, dict):
        return {"__items__": [[key, flatten(value, f"{prefix}.{key}", tensors)] for key, value in tree.items()]}
    if isinstance(tree, (list, tuple)):
        return [flatten(value, f"{prefix}.{i}", tensors) for i, value in enumerate(tree)]
    return tree


def unflatten(tree: Any, tensors: dict[str, Tensor]) -> Any:
    """The inverse of :func:`flatten`; tuples come back as lists."""
    if isinstance(tree, dict):
        if "__tensor__" in tree:
            return tensors[tree["__tensor__"]]
        return {key: unflatten(value, tensors) for key, value in tree["__items__"]}
    if isinstance(tree, list):
        return [unflatten(value, tensors) for value in tree]
    return tree


def write_state(folder: Path, state: dict[str, Any]) -> None:
    """Write ``state`` (nested dicts and lists of tensors and plain data) into an existing folder."""
    folder.mkdir(exist_ok=True)
    tensors: dict[str, Tensor] = {}
    rest = flatten(state, "state", tensors)
    save_file(tensors, folder / _TENSORS)
    (folder / _REST).write_text(json.dumps(rest), encoding="utf-8")


def read_state(folder: Path) -> dict[str, Any]:
    """Read what :func:`write_state` wrote.

    Raises:
        CheckpointError: missing or damaged.
    """
    if not (folder / _REST).is_file():
        raise CheckpointError(f"{folder.parent} has no training state to resume from; fit with checkpoint_dir= first")
    try:
        tensors = load_file(folder / _TENSORS)
        return unflatten(json.loads((folder / _REST).read_text(encoding="utf-8")), tensors)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise CheckpointError(
            f"the training state in {folder} is damaged ({error}); fit anew with resume=False"
        ) from error


def cloned(tree: Any) -> Any:
    """A deep copy of nested dicts and lists in which the tensors are copied, too."""
    if isinstance(tree, Tensor):
        return tree.detach().clone()
    if isinstance(tree, dict):
        return {key: cloned(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(cloned(value) for value in tree)
    return tree


def all_finite(losses: list[Tensor]) -> bool:
    """Whether all of the scalar ``losses`` are finite; one device synchronisation for all."""
    return bool(torch.isfinite(torch.stack([loss.detach().float() for loss in losses])).all()) if losses else True
