"""Kornia's augmentations, seeded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import kornia.augmentation
import torch
from torch import Tensor

from augsynth import authoring


class KorniaTransform(authoring.Transform):
    """One augmentation of ``kornia.augmentation`` (Riba et al. 2020), or several in a row.

    In a dataset it transforms image by image; :class:`augsynth.DeviceBlend` hands it whole batches on the training
    device, where each image gets parameters of its own.

    Args:
        transforms: an augmentation; the name of one (``"RandomErasing"``); a mapping with ``"name"`` and its arguments
            (``{"name": "RandomAffine", "degrees": 10.0}``); or a list of these. Default: small rotations, shifts and
            changes of size.
        value_range: range of float images; augmentations see them in [0, 1].

    Raises:
        ConfigError: no such augmentation, or not its arguments.
    """

    works_on = "tensor"

    def __init__(self, transforms: Any = None, *, value_range: tuple[float, float] = (0.0, 1.0)) -> None:
        super().__init__(value_range=value_range)
        default = {"name": "RandomAffine", "degrees": 10.0, "translate": (0.1, 0.1), "scale": (0.9, 1.1), "p": 1.0}
        self.transforms = authoring.transforms_of(kornia.augmentation, default if transforms is None else transforms)

    def parts(self) -> Sequence[Any]:
        return self.transforms

    def apply(self, image: Tensor, seed: int) -> Tensor:
        return self.apply_batch(image[None], seed)[0]

    def apply_batch(self, images: Tensor, seed: int) -> Tensor:
        low, high = (0.0, 255.0) if images.dtype == torch.uint8 else self.value_range
        x = (images.float() - low) / (high - low)
        with authoring.seeded_globals(seed):
            for transform in self.transforms:
                x = transform(x)
        x = x.clamp(0.0, 1.0) * (high - low) + low
        return x.round().to(torch.uint8) if images.dtype == torch.uint8 else x.to(images.dtype)
