"""Imports that may fail because an extra is not installed, or because two wheels do not match."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from augsynth.errors import MissingDependencyError

# torchvision registers Python kernels for these two operators when it is imported. A torchvision wheel built
# for another torch (a CUDA wheel over a CPU torch, say) cannot load the library that defines them, and the
# import dies although everything else in it works.
_TORCHVISION_OPERATORS = {
    "torchvision::nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "torchvision::qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def import_optional(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import ``module``, or say which extra provides it.

    Args:
        module: dotted name of the module.
        extra: the extra of augsynth that installs it.
        purpose: what it is needed for, to complete the sentence "... is needed for ...".

    Raises:
        MissingDependencyError: it is not installed. Errors from inside an installed package pass unchanged.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or module.split(".")[0] != error.name.split(".")[0]:
            raise
        raise MissingDependencyError(
            f"{module} is needed for {purpose} and is not installed. Install it with: pip install 'augsynth[{extra}]'",
            name=error.name,
        ) from error


def import_torchvision(module: str = "torchvision") -> ModuleType:
    """Import torchvision (or a module of it) even if its compiled operators do not match the installed torch.

    Only the failure "operator torchvision::nms does not exist" is handled, by declaring the schemas of the two
    detection operators and importing once more; those two operators stay without an implementation. Any other
    import error passes unchanged.

    Args:
        module: ``"torchvision"`` or a submodule such as ``"torchvision.transforms.v2"``.

    Example:
        >>> v2 = augsynth.import_torchvision("torchvision.transforms.v2")
    """
    try:
        return importlib.import_module(module)
    except RuntimeError as error:
        missing = [name for name in _TORCHVISION_OPERATORS if f"operator {name} does not exist" in str(error)]
        if not missing:
            raise
    import torch

    for name, schema in _TORCHVISION_OPERATORS.items():
        torch.library.define(name, schema)
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]  # left half imported by the failure
    return importlib.import_module(module)
