"""torchvision v2 transforms, seeded per sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

import augsynth
from augsynth import authoring

_RGB_OR_GREY = (1, 3)


class TorchvisionTransform(authoring.Transform):
    """One transform of ``torchvision.transforms.v2``, or several in a row.

    Args:
        transforms: a v2 transform; the name of one (``"RandomRotation"``); a mapping with ``"name"`` and its arguments
            (``{"name": "RandomCrop", "size": 28, "padding": 2}``); or a list of these. Default: crops of the
            image's own size after padding by an eighth, which suits digits and natural images alike.
        value_range: range of float images.

    Raises:
        ConfigError: no such transform, or not its arguments.
    """

    works_on = "tensor"

    def __init__(self, transforms: Any = None, *, value_range: tuple[float, float] = (0.0, 1.0)) -> None:
        super().__init__(value_range=value_range)
        v2 = augsynth.import_torchvision("torchvision.transforms.v2")
        self.transforms = [] if transforms is None else authoring.transforms_of(v2, transforms)

    def parts(self) -> Sequence[Any]:
        return self.transforms

    def apply(self, image: Tensor, seed: int) -> Tensor:
        return self.apply_many(image[None], [seed])[0]

    def apply_many(self, images: Tensor, seeds: Sequence[int]) -> Sequence[Tensor]:
        transforms = self.transforms or [_padded_crop(images)]
        made = []
        with torch.random.fork_rng(devices=[]):
            for image, seed in zip(images, seeds, strict=True):
                torch.default_generator.manual_seed(seed)
                for transform in transforms:
                    image = transform(image)
                made.append(image)
        return made


class _EightBit(TorchvisionTransform):
    """A policy that is defined on 8-bit images: floats are rounded to them on the way."""

    def apply_many(self, images: Tensor, seeds: Sequence[int]) -> Sequence[Tensor]:
        if images.shape[1] not in _RGB_OR_GREY:
            raise augsynth.DataError(f"an image of {images.shape[1]} channels: these policies need 1 or 3")
        if images.dtype == torch.uint8:
            return super().apply_many(images, seeds)
        low, high = self.value_range
        bytes_ = ((images - low) * (255.0 / (high - low))).round().clamp(0, 255).to(torch.uint8)
        made = super().apply_many(bytes_, seeds)
        return [(one.to(images.dtype) * ((high - low) / 255.0) + low).to(images.dtype) for one in made]


def auto_augment(
    *, policy: str = "imagenet", value_range: tuple[float, float] = (0.0, 1.0), **options: Any
) -> authoring.Transform:
    """AutoAugment with the ``policy`` learnt on ``"imagenet"``, ``"cifar10"`` or ``"svhn"``."""
    v2 = augsynth.import_torchvision("torchvision.transforms.v2")
    known = [one.value for one in v2.AutoAugmentPolicy]
    if policy not in known:
        raise augsynth.ConfigError(f"policy={policy!r}: expected one of {', '.join(known)}")
    return _EightBit(v2.AutoAugment(v2.AutoAugmentPolicy(policy), **options), value_range=value_range)


def rand_augment(*, value_range: tuple[float, float] = (0.0, 1.0), **options: Any) -> authoring.Transform:
    """RandAugment; options ``num_ops`` (2) and ``magnitude`` (9) as of torchvision."""
    v2 = augsynth.import_torchvision("torchvision.transforms.v2")
    return _EightBit(v2.RandAugment(**options), value_range=value_range)


def aug_mix(*, value_range: tuple[float, float] = (0.0, 1.0), **options: Any) -> authoring.Transform:
    """AugMix; options ``severity`` (3), ``mixture_width`` (3) and so on as of torchvision."""
    v2 = augsynth.import_torchvision("torchvision.transforms.v2")
    return _EightBit(v2.AugMix(**options), value_range=value_range)


def _padded_crop(images: Tensor) -> Any:
    v2 = augsynth.import_torchvision("torchvision.transforms.v2")
    height, width = images.shape[-2:]
    return v2.RandomCrop((height, width), padding=max(1, min(height, width) // 8), padding_mode="edge")
