"""Operations of OpenCV, in a fixed order: denoise, inpaint, equalise, blur."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

import augsynth
from augsynth import authoring


class OpenCV(authoring.Transform):
    """Clean up an image, or roughen it.

    Args:
        denoise: strength of non-local means (Buades et al. 2005, ``cv2.fastNlMeansDenoising``), in grey levels;
            0 leaves it out. OpenCV's own default is 3.
        inpaint: share of the image, in [0, 0.5], that is masked in random rectangles and filled from around (Telea
            2004, ``cv2.inpaint``); or a mask, (H, W) bool, of what to fill.
        clahe: clip limit of contrast-limited adaptive histogram equalisation (Zuiderveld 1994); 0 leaves it out.
        blur: standard deviation of a Gaussian blur, in pixels; a pair (low, high) draws it per sample. 0 leaves it out.
        value_range: range of float images.

    Raises:
        ConfigError: an argument is out of its range.
    """

    works_on = "array"

    def __init__(
        self,
        *,
        denoise: float = 0.0,
        inpaint: float | np.ndarray = 0.0,
        clahe: float = 0.0,
        blur: float | tuple[float, float] = (0.0, 0.8),
        value_range: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        super().__init__(value_range=value_range)
        low, high = blur if isinstance(blur, (tuple, list)) else (blur, blur)
        for name, value in (("denoise", denoise), ("clahe", clahe), ("blur", low)):
            if not 0.0 <= value < float("inf"):
                raise augsynth.ConfigError(f"{name}={value!r}: expected a number from 0 up")
        if high < low:
            raise augsynth.ConfigError(f"blur={blur!r}: expected (low, high) with low <= high")
        if not isinstance(inpaint, np.ndarray) and not 0.0 <= inpaint <= 0.5:
            raise augsynth.ConfigError(f"inpaint={inpaint!r}: expected a share in [0, 0.5], or a mask")
        self.denoise, self.inpaint, self.clahe, self.blur = float(denoise), inpaint, float(clahe), (low, high)

    def apply(self, image: np.ndarray, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        if self.denoise > 0:
            image = _per_channel(image, lambda one: cv2.fastNlMeansDenoising(one, None, self.denoise, 3, 9))
        mask = self._mask(image, rng)
        if mask is not None:
            image = _per_channel(image, lambda one: cv2.inpaint(one, mask, 3, cv2.INPAINT_TELEA))
        if self.clahe > 0:
            # tiles of at least four pixels a side: smaller ones have no histogram to speak of
            tiles = (max(1, min(8, image.shape[1] // 4)), max(1, min(8, image.shape[0] // 4)))
            equaliser = cv2.createCLAHE(self.clahe, tiles)
            image = _per_channel(image, equaliser.apply)
        sigma = rng.uniform(*self.blur)
        if sigma > 0.05:
            image = _per_channel(image, lambda one: cv2.GaussianBlur(one, (0, 0), sigma))
        return image

    def _mask(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
        height, width = image.shape[:2]
        if isinstance(self.inpaint, np.ndarray):
            if self.inpaint.shape != (height, width):
                raise augsynth.DataError(f"the mask has the shape {self.inpaint.shape}, the image {(height, width)}")
            return self.inpaint.astype(np.uint8)
        if self.inpaint == 0:
            return None
        mask = np.zeros((height, width), np.uint8)
        side = max(1, min(height, width) // 6)
        while mask.mean() < self.inpaint:
            top, left = rng.integers(height), rng.integers(width)
            mask[top : top + side, left : left + side] = 1
        return mask


def _per_channel(image: np.ndarray, operation: Any) -> np.ndarray:
    """Apply an operation on (H, W) uint8 to each channel of (H, W, C)."""
    return np.stack([operation(np.ascontiguousarray(image[..., c])) for c in range(image.shape[-1])], axis=-1)
