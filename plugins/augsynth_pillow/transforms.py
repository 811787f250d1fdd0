"""Enhancements of Pillow, in a fixed order: autocontrast, contrast, sharpness."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

import augsynth
from augsynth import authoring

Factor = float | tuple[float, float]


class Pillow(authoring.Transform):
    """Enhance an image.

    Args:
        sharpen: factor of sharpness; 1 changes nothing, 0 blurs, 2 sharpens. A pair (low, high) draws it per sample.
        contrast: factor of contrast, likewise.
        autocontrast: stretch the contrast to the full range, leaving out this share of the darkest and of the
            brightest pixels, in percent; None leaves it out.
        value_range: range of float images.

    Raises:
        ConfigError: an argument is out of its range.
    """

    works_on = "pil"

    def __init__(
        self,
        *,
        sharpen: Factor = (0.8, 1.6),
        contrast: Factor = (0.9, 1.1),
        autocontrast: float | None = None,
        value_range: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        super().__init__(value_range=value_range)
        self.sharpen, self.contrast = _range("sharpen", sharpen), _range("contrast", contrast)
        if autocontrast is not None and not 0.0 <= autocontrast < 50.0:
            raise augsynth.ConfigError(f"autocontrast={autocontrast!r}: expected percent in [0, 50), or None")
        self.autocontrast = autocontrast

    def apply(self, image: Image.Image, seed: int) -> Image.Image:
        rng = np.random.default_rng(seed)
        alpha = image.getchannel("A") if "A" in image.getbands() else None
        work = image.convert("L" if image.mode in ("L", "LA") else "RGB")
        if self.autocontrast is not None:
            work = ImageOps.autocontrast(work, cutoff=self.autocontrast)
        for enhancer, (low, high) in ((ImageEnhance.Contrast, self.contrast), (ImageEnhance.Sharpness, self.sharpen)):
            factor = rng.uniform(low, high)
            if factor != 1.0:
                work = enhancer(work).enhance(factor)
        if alpha is not None:
            work.putalpha(alpha)  # transparency is no brightness
        return work if work.mode == image.mode else work.convert(image.mode)


def _range(name: str, factor: Factor) -> tuple[float, float]:
    low, high = factor if isinstance(factor, (tuple, list)) else (factor, factor)
    if not 0.0 <= low <= high < float("inf"):
        raise augsynth.ConfigError(f"{name}={factor!r}: expected a factor from 0 up, or (low, high)")
    return float(low), float(high)
