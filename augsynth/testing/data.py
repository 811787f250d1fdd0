"""Tiny datasets in every form that the contract names."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

FORMS = ("tensor", "tensor-float", "numpy-hwc", "numpy-chw", "numpy-hw", "pil")


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


class TinyTexts(Dataset[Any]):
    """Short made-up sentences whose words tell their class.

    Args:
        n: number of texts.
        classes: number of classes, 0 for none.
    """

    _WORDS = (("cat", "dog", "fox"), ("red", "blue", "green"), ("one", "two", "three"))

    def __init__(self, n: int = 24, *, classes: int = 3) -> None:
        self.targets = [i % classes for i in range(n)] if classes else None
        rng = np.random.default_rng(0)
        self.texts = []
        for i in range(n):
            words = self._WORDS[i % max(classes, 1)]
            first, second = rng.choice(words, 2)
            self.texts.append(f"The {first} is “{second}”, {rng.choice(['or', 'and'])} {rng.choice(words)} – sí?")

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: int) -> Any:
        return self.texts[index] if self.targets is None else (self.texts[index], self.targets[index])
