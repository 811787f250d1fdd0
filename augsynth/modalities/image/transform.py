"""The base class of transform plugins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from augsynth._rng_guard import seeded_globals
from augsynth.errors import BrokenPluginError, ConfigError, DataError
from augsynth.joint import Joint
from augsynth.modalities.image.spec import ImageSpec
from augsynth.seeding import child_seed, given_or_drawn
from augsynth.transforms.seeded import SeededTransform

WorkingForm = Literal["tensor", "array", "pil"]


class Transform(SeededTransform):
    """A label-preserving operation on one image, whatever form the dataset yields it in.

    An author sets :attr:`works_on` and writes :meth:`apply`; the image is converted to that form and back, so that
    every transform works on tensors, arrays and PIL images.

    Args:
        value_range: range of float images; integers have 0 to 255.
    """

    works_on: ClassVar[WorkingForm] = "array"
    """What :meth:`apply` gets: ``"tensor"`` (C, H, W) in the image's own dtype and range, ``"array"`` (H, W, C)
    uint8, or ``"pil"``. For the last two, float images are rounded to 8 bits on the way."""

    value_range: tuple[float, float] = (0.0, 1.0)

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        if cls.works_on not in get_args(WorkingForm):
            expected = ", ".join(map(repr, get_args(WorkingForm)))
            raise BrokenPluginError(f"{cls.__name__}.works_on={cls.works_on!r}: expected one of {expected}")

    def __init__(self, *, value_range: tuple[float, float] = (0.0, 1.0)) -> None:
        low, high = value_range
        if not low < high:
            raise ConfigError(f"value_range={value_range!r}: expected (low, high) with low < high")
        self.value_range = (float(low), float(high))

    def apply(self, image: Any, seed: int) -> Any:
        """The transformed image, in the form of :attr:`works_on`; everything random must follow ``seed``."""
        raise NotImplementedError(f"{type(self).__name__} must define apply(image, seed)")

    def _applied(self, image: Any, seed: int) -> Any:
        made = self.apply(image, seed)
        if made is None:
            raise BrokenPluginError(f"{type(self).__name__}.apply returned None: expected the transformed image")
        return made

    def parts(self) -> Sequence[Any]:
        """The transforms of torchvision v2, albumentations or Kornia that it consists of, if it does: they move masks,
        boxes and keypoints together with the image."""
        return ()

    def joint(self, x: Joint, *, seed: int | None = None) -> Joint:
        if not self.parts():
            return super().joint(x, seed=seed)
        seed = given_or_drawn(seed)
        with seeded_globals(seed):
            for i, part in enumerate(self.parts()):
                call = ImageSpec.of(x).caller(part)
                x = part(x) if call is None else call(x, child_seed(seed, i))
        return x

    def apply_batch(self, images: Tensor, seed: int) -> Tensor:
        """Transform (n, C, H, W) images of one dtype, on any device, each in its own way: what
        :class:`augsynth.DeviceBlend` calls. Override where a batch is faster than one image after the other."""
        if self.works_on != "tensor":
            raise ConfigError(f"{type(self).__name__} works on {self.works_on}, not on batches of tensors")
        return torch.stack([self.apply(image, child_seed(seed, i)) for i, image in enumerate(images)])

    def apply_many(self, images: Tensor, seeds: Sequence[int]) -> Sequence[Tensor] | Tensor:
        """:meth:`apply` of images (n, C, H, W) of one dtype, each by its own seed, where :attr:`works_on` is
        ``"tensor"``. Override where they are faster together; up to rounding, what becomes of an image must not depend
        on those beside it."""
        return [self.apply(image, seed) for image, seed in zip(images, seeds, strict=True)]

    def many(self, inputs: Sequence[Any], seeds: Sequence[int | None]) -> list[Any]:
        if self.works_on != "tensor" or len(inputs) < 2 or not _alike(inputs):
            return super().many(inputs, seeds)
        spec = self._spec_of(inputs[0])
        raw = torch.stack([spec.to_raw(x) for x in inputs])
        if spec.dtype != "uint8" and not spec.admits(raw):
            return super().many(inputs, seeds)  # which says of the first that is not what it should be
        made = self.apply_many(raw, [given_or_drawn(seed) for seed in seeds])
        return [_restored(spec, one) for one in made]

    def _spec_of(self, x: Any) -> ImageSpec:
        spec = ImageSpec.of(x)
        if spec.dtype == "uint8":
            return spec
        low, high = self.value_range
        return replace(spec, low=(low,) * spec.channels, high=(high,) * spec.channels)

    def __call__(self, x: Any, *, seed: int | None = None) -> Any:
        """Transform one image.

        Args:
            x: PIL image, array (H, W), (H, W, C) or (C, H, W), or tensor (C, H, W), (H, W) or (H, W, C).
            seed: None draws one from torch's RNG.

        Returns:
            An image of the same type, layout, dtype and range.

        Raises:
            DataError: not such an image, or floats outside ``value_range``.
        """
        seed = given_or_drawn(seed)
        spec = self._spec_of(x)
        raw = spec.to_raw(x)
        if spec.dtype != "uint8" and not spec.admits(raw):
            raise DataError(
                f"{type(self).__name__}: values from {float(raw.min()):g} to {float(raw.max()):g} are outside of "
                f"value_range={self.value_range}; pass the range that the images have"
            )
        if self.works_on == "tensor":
            return _restored(spec, self._applied(raw, seed))
        bytes_ = (
            raw
            if spec.dtype == "uint8"
            else ((spec.raw_to_model(raw[None])[0] + 1) * 127.5).round().clamp(0, 255).byte()
        )
        array = np.ascontiguousarray(bytes_.movedim(0, -1).numpy())
        if self.works_on == "pil":
            mode = spec.mode or {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[spec.channels]
            made = self._applied(Image.frombytes(mode, (spec.width, spec.height), array.tobytes()), seed)
            result = np.asarray(made)
        else:
            result = np.asarray(self._applied(array, seed))
        if result.ndim == 2:
            result = result[..., None]
        model = torch.from_numpy(np.array(result)).movedim(-1, 0).float() / 127.5 - 1.0
        return _yielded(spec, model)


def _alike(inputs: Sequence[Any]) -> bool:
    """Whether all are tensors, or arrays, of one shape and dtype."""
    first = inputs[0]
    return isinstance(first, (Tensor, np.ndarray)) and all(
        type(x) is type(first) and x.shape == first.shape and x.dtype == first.dtype for x in inputs
    )


def _restored(spec: ImageSpec, raw: Tensor) -> Any:
    if raw.dtype != getattr(torch, spec.dtype):
        raise DataError(f"a transform turned {spec.dtype} into {raw.dtype}; it must keep the dtype")
    if spec.form == "tensor":
        return {"HW": lambda t: t[0], "HWC": lambda t: t.movedim(0, -1), "CHW": lambda t: t}[spec.layout](raw)
    return _yielded(spec, spec.raw_to_model(raw[None])[0])


def _yielded(spec: ImageSpec, model: Tensor) -> Any:
    sized = replace(spec, height=model.shape[1], width=model.shape[2])
    return sized.batched(model[None])[0]
