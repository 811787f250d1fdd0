"""How the transforms of other libraries are called with one image. They are told apart by where their class lives;
none is imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def caller(transform: Any, spec_type: Any) -> Callable[[Any, int | None], Any] | None:
    """A function of an image and a seed; None where ``transform`` is called with the image as it is.

    Args:
        transform: an ``albumentations`` composition, a Kornia module, or anything else.
        spec_type: ``ImageSpec``.
    """
    package = type(transform).__module__.split(".")[0]
    if package == "albumentations":
        return lambda x, seed: _albumentations(transform, x, seed, spec_type)
    if package == "kornia":
        return lambda x, seed: transform(x[None])[0] if isinstance(x, Tensor) and x.ndim == 3 else transform(x)
    return None


def _albumentations(transform: Any, x: Any, seed: int | None, spec_type: Any) -> Any:
    if seed is not None:
        transform.set_random_seed(seed & 0xFFFFFFFF)
    spec = spec_type.of(x)
    array = np.ascontiguousarray(spec.to_raw(x).movedim(0, -1).numpy())  # (H, W, C), as the library expects
    made = transform(image=array)["image"]
    if not isinstance(made, np.ndarray):
        return made  # its own conversion to a tensor: the user asked for that
    return in_form_of(spec, made)


def in_form_of(spec: Any, made: np.ndarray) -> Any:
    """An array (H, W, C) or (H, W) in the form that ``spec`` yields."""
    made = made[..., None] if made.ndim == 2 else made
    if spec.form == "pil":
        return Image.fromarray(made[..., 0] if spec.channels == 1 else made)
    if spec.layout == "HW":
        made = made[..., 0]
    elif spec.layout == "CHW":
        made = np.ascontiguousarray(made.transpose(2, 0, 1))
    return torch.from_numpy(made) if spec.form == "tensor" else made
