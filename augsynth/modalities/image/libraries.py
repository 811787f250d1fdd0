"""How the transforms of other libraries are called with one image, and with what lies in it. They are told apart by
where their class lives; none is imported unless one of its transforms is at hand."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from augsynth._optional import import_torchvision
from augsynth.errors import ConfigError
from augsynth.joint import Joint

_TYPES = {"Mask": "mask", "BoundingBoxes": "boxes", "KeyPoints": "keypoints"}


def role_of(x: Any, value: Any) -> str | None:
    """The role of ``value`` in the image ``x``: of torchvision's ``tv_tensors`` by their type, of others a mask where
    it holds a whole number for each pixel."""
    if type(value).__module__.startswith("torchvision.tv_tensors"):
        return _TYPES.get(type(value).__name__)
    if isinstance(value, Image.Image):
        return "mask" if value.mode in ("1", "L", "P", "I") else None
    if not isinstance(value, (Tensor, np.ndarray)) or value.ndim not in (2, 3):
        return None
    whole = not value.is_floating_point() if isinstance(value, Tensor) else value.dtype.kind in "bui"
    size = (x.height, x.width) if isinstance(x, Image.Image) else tuple(x.shape)
    spatial = tuple(value.shape[1:]) if value.ndim == 3 and value.shape[0] == 1 else tuple(value.shape)
    near = len(spatial) == 2 and min(spatial) >= 8
    return "mask" if whole and near and (spatial in (size[:2], size[-2:]) or value.ndim == 2) else None


def as_mask(mask: Tensor) -> Any:
    """A tensor as torchvision's ``tv_tensors.Mask``."""
    return import_torchvision("torchvision.tv_tensors").Mask(mask)


def caller(transform: Any, spec_type: Any) -> Callable[[Any, int | None], Any] | None:
    """A function of an image, or a :class:`Joint`, and a seed.

    Args:
        transform: an ``albumentations`` composition, a Kornia module, a transform of torchvision v2, or anything else,
            which is called with the image as it is.
        spec_type: ``ImageSpec``.
    """

    def call(x: Any, seed: int | None) -> Any:
        return _together(transform, x, seed, spec_type) if isinstance(x, Joint) else alone(x, seed)

    alone = _alone(transform, spec_type)
    return call


def _alone(transform: Any, spec_type: Any) -> Callable[[Any, int | None], Any]:
    package = type(transform).__module__.split(".")[0]
    if package == "albumentations":
        return lambda x, seed: _albumentations(transform, x, seed, spec_type)
    if package == "kornia":
        return lambda x, seed: transform(x[None])[0] if isinstance(x, Tensor) and x.ndim == 3 else transform(x)
    return lambda x, seed: transform(x)


def _together(transform: Any, joint: Joint, seed: int | None, spec_type: Any) -> Joint:
    """An image and what lies in it, moved together."""
    spec = spec_type.of(joint)  # which says what does not lie in the image
    module = type(transform).__module__
    if module.startswith("torchvision.transforms.v2"):
        return _torchvision(transform, joint, spec)
    if module.split(".")[0] == "albumentations":
        return _albumented(transform, joint, seed, spec)
    if module.split(".")[0] == "kornia":
        return _kornia(transform, joint, spec)
    raise ConfigError(
        f"transform {transform!r} is called with the image alone, and {', '.join(joint.inside)} would no longer fit; "
        "pass one of torchvision v2, albumentations or Kornia, or transform whole samples in the dataset itself"
    )


# ---------------------------------------------------------------------- torchvision


def _torchvision(transform: Any, joint: Joint, spec: Any) -> Joint:
    tv = import_torchvision("torchvision.tv_tensors")
    # an image as a tensor would pass for one only if nothing else did
    x = tv.Image(joint.x) if isinstance(joint.x, Tensor) and joint.x.ndim == 3 else joint.x
    if not isinstance(x, (Image.Image, tv.Image)):
        raise ConfigError(f"torchvision moves tensors (C, H, W) and PIL images: not {spec.described}")
    size = (spec.height, spec.width)
    wrapped = {role: _wrapped(tv, role, value, size) for role, value in joint.inside.items()}
    made_x, *made = transform(x, *wrapped.values())
    inside = {role: _unwrapped(value, joint.inside[role]) for role, value in zip(wrapped, made, strict=True)}
    return Joint(_unwrapped(made_x, joint.x), inside)


def _wrapped(tv: Any, role: str, value: Any, size: tuple[int, int]) -> Any:
    if type(value).__module__.startswith("torchvision.tv_tensors"):
        return value
    if role == "mask":
        return tv.Mask(torch.as_tensor(np.array(value) if isinstance(value, Image.Image) else value))
    rows = torch.as_tensor(np.asarray(value))
    if role == "boxes":
        return tv.BoundingBoxes(rows, format="XYXY", canvas_size=size)
    return tv.KeyPoints(rows, canvas_size=size)


def _unwrapped(made: Any, like: Any) -> Any:
    """``made`` in the form of ``like``."""
    if type(like).__module__.startswith("torchvision.tv_tensors") or isinstance(made, Image.Image):
        return made
    plain = made.as_subclass(Tensor) if isinstance(made, Tensor) else torch.as_tensor(made)
    if isinstance(like, Image.Image):
        return Image.fromarray(plain.numpy().astype(np.uint8)).convert(like.mode)
    if isinstance(like, np.ndarray):
        return plain.numpy().astype(like.dtype)
    return plain if isinstance(like, Tensor) else plain.tolist()


def _like(made: Tensor, value: Any) -> Any:
    """``made`` in the form and dtype of ``value``."""
    if type(value).__module__.startswith("torchvision.tv_tensors"):
        return import_torchvision("torchvision.tv_tensors").wrap(made.to(value.dtype), like=value)
    return _unwrapped(made.to(value.dtype) if isinstance(value, Tensor) else made, value)


# ---------------------------------------------------------------------- albumentations


def _albumentations(transform: Any, x: Any, seed: int | None, spec_type: Any) -> Any:
    if seed is not None:
        transform.set_random_seed(seed & 0xFFFFFFFF)
    spec = spec_type.of(x)
    made = transform(image=_array(spec, x))["image"]
    if not isinstance(made, np.ndarray):
        return made  # its own conversion to a tensor: the user asked for that
    return in_form_of(spec, made)


def _albumented(transform: Any, joint: Joint, seed: int | None, spec: Any) -> Joint:
    if seed is not None:
        transform.set_random_seed(seed & 0xFFFFFFFF)
    names = {"mask": "mask", "boxes": "bboxes", "keypoints": "keypoints"}
    for role, parameter in (("boxes", "bbox_params"), ("keypoints", "keypoint_params")):
        if role in joint.inside and names[role] not in getattr(transform, "processors", {}):
            raise ConfigError(f"albumentations moves {role} only where Compose is given {parameter}=, and it is not")
    given: dict[str, Any] = {}
    for role, value in joint.inside.items():
        array = np.array(value) if isinstance(value, Image.Image) else np.asarray(value)
        given[names[role]] = (array[0] if array.ndim == 3 else array) if role == "mask" else array.astype(np.float32)
    made = transform(image=_array(spec.alone, joint.x), **given)
    inside = {}
    for role, value in joint.inside.items():
        moved = torch.from_numpy(np.ascontiguousarray(made[names[role]]))
        wide = moved[None] if role == "mask" and getattr(value, "ndim", 2) == 3 else moved
        inside[role] = _like(wide, value)
    return Joint(in_form_of(spec, made["image"]), inside)


def _array(spec: Any, x: Any) -> np.ndarray:
    """(H, W, C), as the library expects."""
    made: np.ndarray = np.ascontiguousarray(spec.to_raw(x).movedim(0, -1).numpy())
    return made


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


# ---------------------------------------------------------------------- Kornia


def _kornia(transform: Any, joint: Joint, spec: Any) -> Joint:
    if not isinstance(joint.x, Tensor) or joint.x.ndim != 3:
        raise ConfigError(f"Kornia moves tensors (C, H, W): not {spec.described}")
    keys = {"mask": "mask", "boxes": "bbox_xyxy", "keypoints": "keypoints"}
    sequence = transform
    several = importlib.import_module("kornia.augmentation").AugmentationSequential  # there, as its transform is
    if not isinstance(transform, several):
        sequence = several(transform, data_keys=None)
    given = [joint.x[None].float()]
    for role, value in joint.inside.items():
        rows = torch.as_tensor(np.array(value) if isinstance(value, Image.Image) else value).as_subclass(Tensor).float()
        given.append(rows.reshape(1, 1, spec.height, spec.width) if role == "mask" else rows[None])
    made = sequence(*given, data_keys=["input", *(keys[role] for role in joint.inside)])
    inside = {}
    for (role, value), moved in zip(joint.inside.items(), made[1:], strict=True):
        own = moved[0]
        if role == "mask":  # (1, H, W), or (H, W) where it came as that
            own = (own if getattr(value, "ndim", 2) == 3 else own[0]).round()
        inside[role] = _like(own, value)
    return Joint(made[0][0].to(joint.x.dtype), inside)
