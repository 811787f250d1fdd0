"""Kornia's augmentations, seeded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import kornia.augmentation
import torch
from torch import Tensor

from augsynth import authoring

_COMPARED = 64  # images for which a batch is held against one image after the other, before it takes their place
_LEVEL, _ROUNDING = 1.01 / 255, 1e-4  # of the range, what the two may differ by: 8-bit images, and floats


class KorniaTransform(authoring.Transform):
    """One augmentation of ``kornia.augmentation`` (Riba et al. 2020), or several in a row.

    In a dataset each image follows its own seed: its parameters are drawn by itself, and those of a batch are applied
    at once. :class:`augsynth.DeviceBlend` hands it batches on the training device, which follow one seed.

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
        self._together = True  # whether a batch gives what its images give, as far as it was compared
        self._to_compare = _COMPARED

    def parts(self) -> Sequence[Any]:
        return self.transforms

    def apply(self, image: Tensor, seed: int) -> Tensor:
        return self.apply_batch(image[None], seed)[0]

    def apply_many(self, images: Tensor, seeds: Sequence[int]) -> Sequence[Tensor] | Tensor:
        made = self._at_once(images, seeds) if self._together else None
        if made is None or self._to_compare <= 0:
            return super().apply_many(images, seeds) if made is None else made
        # an augmentation may draw while it is applied, or mix the images of a batch
        alone = torch.stack([self.apply(image, seed) for image, seed in zip(images, seeds, strict=True)])
        allowed = _LEVEL if images.dtype == torch.uint8 else _ROUNDING
        self._together = alone.shape == made.shape and self._apart(alone, made) <= allowed
        self._to_compare -= len(images)
        return alone

    def apply_batch(self, images: Tensor, seed: int) -> Tensor:
        x = self._seen(images)
        with authoring.seeded_globals(seed):
            for transform in self.transforms:
                x = transform(x)
        return self._yielded(x, images.dtype)

    def _at_once(self, images: Tensor, seeds: Sequence[int]) -> Tensor | None:
        """The images by the parameters that each seed draws; None where augmentations do not tell them."""
        if not all(hasattr(one, "forward_parameters") for one in self.transforms):
            self._together = False
            return None
        x = self._seen(images)
        states: list[Tensor | None] = [None] * len(seeds)
        with authoring.seeded_globals(0):
            for transform in self.transforms:
                shape, drawn = torch.Size((1, *x.shape[1:])), []
                for i, seed in enumerate(seeds):
                    if (state := states[i]) is None:
                        torch.default_generator.manual_seed(seed)
                    else:
                        torch.set_rng_state(state)  # where the last augmentation of this image left it
                    drawn.append(transform.forward_parameters(shape))
                    states[i] = torch.get_rng_state() if len(self.transforms) > 1 else None
                merged = _merged(drawn, x.shape)
                if merged is None:
                    self._together = False
                    return None
                try:
                    x = transform(x, params=merged)
                except (RuntimeError, ValueError, IndexError, TypeError, AttributeError):
                    self._together = False
                    return None  # not made for parameters from outside: image by image, it says itself what is wrong
        return self._yielded(x, images.dtype)

    def _seen(self, images: Tensor) -> Tensor:
        """As augmentations see them, in [0, 1]."""
        low, high = (0.0, 255.0) if images.dtype == torch.uint8 else self.value_range
        return (images.float() - low) / (high - low)

    def _apart(self, a: Tensor, b: Tensor) -> float:
        return float((self._seen(a) - self._seen(b)).abs().max())

    def _yielded(self, x: Tensor, dtype: torch.dtype) -> Tensor:
        low, high = (0.0, 255.0) if dtype == torch.uint8 else self.value_range
        x = x.clamp(0.0, 1.0) * (high - low) + low
        return x.round().to(torch.uint8) if dtype == torch.uint8 else x.to(dtype)


def _merged(drawn: list[Any], shape: torch.Size) -> dict[str, Any] | None:
    """The parameters of n images, each drawn for one image, as those of a batch; None where they cannot be."""
    if not all(isinstance(one, dict) and one.keys() == drawn[0].keys() for one in drawn):
        return None
    merged: dict[str, Any] = {}
    for name, first in drawn[0].items():
        values = [one[name] for one in drawn]
        if name == "forward_input_shape":
            merged[name] = torch.tensor(tuple(shape))
        elif all(isinstance(one, Tensor) and one.shape[:1] == (1,) for one in values):
            merged[name] = torch.cat(values)
        elif all(isinstance(one, Tensor) and torch.equal(one, first) for one in values):
            merged[name] = first
        else:
            return None
    return merged
