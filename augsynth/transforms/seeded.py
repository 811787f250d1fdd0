"""Call any transform of any library so that its randomness follows a seed per sample.

Libraries are told apart by where a transform's class lives; none is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from augsynth._rng_guard import preserved_rng, seed_global
from augsynth.errors import ConfigError
from augsynth.sample_spec import SampleSpec
from augsynth.seeding import derive
from augsynth.transforms.base import Transform
from augsynth.transforms.text import TextTransform

_PART = 0x7F04


def apply_seeded(transform: Any, inputs: Sequence[Any], seeds: Tensor | None) -> list[Any]:
    """Transform each of ``inputs``; input i depends on ``seeds[i]`` alone.

    Args:
        transform: one of, or a list of: a :class:`Transform` or :class:`TextTransform`, ``albumentations``
            compositions, torchvision v2 transforms, Kornia modules, nlpaug augmenters, or any callable. Those that read
            the global RNGs of Python, NumPy or torch find them seeded, and the RNGs are restored afterwards.
        inputs: what the dataset yields as ``x``.
        seeds: (n,) int64, or None: then the transform follows its own or torch's RNG.
    """
    if isinstance(transform, (list, tuple)):
        result = list(inputs)
        for i, part in enumerate(transform):
            result = apply_seeded(part, result, None if seeds is None else derive(seeds, _PART, i))
        return result
    call = _caller(transform)
    if seeds is None:
        return [call(x, None) for x in inputs]
    needs_globals = not isinstance(transform, (Transform, TextTransform))
    with preserved_rng() if needs_globals else nullcontext():
        result = []
        for x, seed in zip(inputs, seeds.tolist(), strict=True):
            if needs_globals:
                seed_global(seed)
            result.append(call(x, seed))
    return result


def check_transform(name: str, transform: Any) -> None:
    """Raise a ConfigError if ``transform`` is nothing that :func:`apply_seeded` can call."""
    if transform is None:
        return
    for part in transform if isinstance(transform, (list, tuple)) else [transform]:
        if not callable(part) and not hasattr(part, "augment"):
            raise ConfigError(f"{name}={part!r}: expected a callable, or a list of them")


def _caller(transform: Any) -> Callable[[Any, int | None], Any]:
    package = type(transform).__module__.split(".")[0]
    if isinstance(transform, (Transform, TextTransform)):
        return lambda x, seed: transform(x, seed=seed)
    if package == "albumentations":
        return lambda x, seed: _albumentations(transform, x, seed)
    if package == "kornia":
        return lambda x, seed: transform(x[None])[0] if isinstance(x, Tensor) and x.ndim == 3 else transform(x)
    if package == "nlpaug" or (hasattr(transform, "augment") and not callable(transform)):
        return lambda x, seed: _first(transform.augment(x))
    return lambda x, seed: transform(x)


def _albumentations(transform: Any, x: Any, seed: int | None) -> Any:
    if seed is not None:
        transform.set_random_seed(seed & 0xFFFFFFFF)
    spec = SampleSpec.of_image(x)
    array = np.ascontiguousarray(spec.to_raw(x).movedim(0, -1).numpy())  # (H, W, C), as the library expects
    made = transform(image=array)["image"]
    if not isinstance(made, np.ndarray):
        return made  # its own conversion to a tensor: the user asked for that
    made = made[..., None] if made.ndim == 2 else made
    if spec.form == "pil":
        return Image.fromarray(made[..., 0] if spec.channels == 1 else made)
    if spec.layout == "HW":
        made = made[..., 0]
    elif spec.layout == "CHW":
        made = np.ascontiguousarray(made.transpose(2, 0, 1))
    return torch.from_numpy(made) if spec.form == "tensor" else made


def _first(texts: Any) -> Any:
    return texts[0] if isinstance(texts, list) else texts
