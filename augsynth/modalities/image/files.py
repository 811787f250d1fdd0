"""One image file: what it says it is, and its pixels in a plain mode."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp", ".gif")
UNREADABLE = (
    OSError,
    UnidentifiedImageError,
    SyntaxError,
    ValueError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""What Pillow raises of a file that is no image, or cut short, or so large that it would fill the memory."""
_UPRIGHT = 1
_ORIENTATION = 0x0112
_SIDEWAYS = (5, 6, 7, 8)


@dataclass(frozen=True)
class Header:
    """What a file says of itself, read without its pixels.

    Args:
        width, height: in pixels, as it is shown.
        mode: of Pillow.
        frames: more than 1 in an animation.
        turned: the camera was held otherwise, and the file says how (EXIF).
    """

    width: int
    height: int
    mode: str
    frames: int
    turned: bool


def read_header(file: Path | str) -> Header:
    """The header of an image file. Raises one of :data:`UNREADABLE`."""
    with _opened(file) as image:
        orientation = image.getexif().get(_ORIENTATION, _UPRIGHT)
        width, height = image.size[::-1] if orientation in _SIDEWAYS else image.size
        return Header(width, height, image.mode, getattr(image, "n_frames", 1), orientation in range(2, 9))


def read_image(file: Path | str) -> Image.Image:
    """The first frame of an image file, upright, of 8 bits, in mode L or RGB. Raises one of :data:`UNREADABLE`."""
    with _opened(file) as image:
        image.load()
        return _eight_bit(ImageOps.exif_transpose(image))


@contextmanager
def _opened(file: Path | str) -> Iterator[Image.Image]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)  # of 89 million pixels: 270 MB, decoded
        with Image.open(file) as image:
            yield image


def _eight_bit(image: Image.Image) -> Image.Image:
    """``image`` in mode L or RGB."""
    if image.mode.startswith("I"):  # 16 bits a pixel: convert() would cut everything above 255 to white
        return Image.fromarray((np.asarray(image).clip(0, 65535) // 257).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("it has floating-point pixels of unknown range; save it with 8 or 16 bits")
    return image.convert("L" if image.mode in ("1", "L", "LA") else "RGB")


def squared(image: Image.Image, width: int, height: int) -> Image.Image:
    """Cut to the wanted proportions around the centre, then resize."""
    scale = max(width / image.width, height / image.height)
    w, h = width / scale, height / scale
    w, h = min(w, image.width), min(h, image.height)  # rounding may leave a hair more
    left, top = (image.width - w) / 2, (image.height - h) / 2
    return image.resize((width, height), Image.Resampling.LANCZOS, box=(left, top, left + w, top + h))
