"""Tiny images in every form that there is, for tests of code, not of quality."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

TRANSFORM_FORMS = ("tensor-float", "tensor", "numpy-hwc", "numpy-chw-grey", "numpy-hw", "pil-rgb")
"""Of one or three channels: many transforms are for those alone."""
FORMS = ("tensor-float", "tensor", "numpy-hwc", "numpy-chw", "numpy-hw", "pil", "large")
_SHAPES = {
    "tensor-float": (1, 8, 8),
    "tensor": (3, 9, 13),
    "numpy-hwc": (3, 12, 8),
    "numpy-chw": (2, 8, 17),
    "numpy-hw": (1, 10, 10),
    "pil": (4, 16, 11),
    "large": (3, 64, 64),
    "numpy-chw-grey": (1, 16, 16),
    "pil-rgb": (3, 24, 16),
}


def shape_of(form: str) -> tuple[str, tuple[int, int, int]]:
    """Of a form of the conformance suite: that of its images, and their (C, H, W), odd sizes among them."""
    own = {"large": "tensor", "numpy-chw-grey": "numpy-chw", "pil-rgb": "pil"}
    return own.get(form, form), _SHAPES[form]


class TinyImages(Dataset[Any]):
    """Noisy bars, whose place is the class; for tests of code, not of quality.

    Args:
        n: number of samples.
        shape: (C, H, W).
        form: one of ``tensor``, ``tensor-float`` (in [0, 1]), ``numpy-hwc``, ``numpy-chw`` (float in [-1, 1]),
            ``numpy-hw``, ``pil``.
        classes: number of classes; 0 for unlabelled.
        structure: ``"tuple"``, ``"dict"`` or ``"bare"``.
        seed: of the noise.
    """

    def __init__(
        self,
        n: int = 32,
        shape: tuple[int, int, int] = (1, 8, 8),
        *,
        form: str = "tensor",
        classes: int = 3,
        structure: str = "tuple",
        seed: int = 0,
    ) -> None:
        rng = np.random.default_rng(seed)
        channels, height, width = shape
        self.targets = [i % classes for i in range(n)] if classes else None
        images = rng.uniform(0.0, 0.3, (n, channels, height, width))
        for i in range(n):
            place = self.targets[i] if self.targets is not None else 0
            images[i, :, :, (place * 2) % width : (place * 2) % width + 2] += 0.6
        self._images, self._form, self._structure = images, form, structure
        self.reads = 0
        """How many samples were read: tests count what a blend does not load."""

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        self.reads += 1
        x = self._in_form(self._images[index])
        if self._structure == "bare" or self.targets is None:
            return {"image": x} if self._structure == "dict" else x
        y = self.targets[index]
        return {"image": x, "label": y} if self._structure == "dict" else (x, y)

    def _in_form(self, image: np.ndarray) -> Any:
        bytes_ = (image * 255).round().astype(np.uint8)
        if self._form == "tensor":
            return torch.from_numpy(bytes_)
        if self._form == "tensor-float":
            return torch.from_numpy(image.astype(np.float32))
        if self._form == "numpy-chw":
            return (image * 2 - 1).astype(np.float32)
        if self._form == "numpy-hw":
            return bytes_[0]
        hwc = np.ascontiguousarray(bytes_.transpose(1, 2, 0))
        if self._form == "numpy-hwc":
            return hwc
        return Image.fromarray(hwc[..., 0] if hwc.shape[-1] == 1 else hwc)
