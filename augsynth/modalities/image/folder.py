"""A folder with one subfolder of images per class."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from augsynth._optional import import_torchvision
from augsynth._progress import progress_bar
from augsynth.datasets.arrays import ArrayDataset
from augsynth.errors import DataError, ResizeWarning

SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
_SIDES = (8, 64)
_USUAL = 64


def read_image_folder(path: Path, *, size: int | None = None) -> ArrayDataset:
    """Read a folder of images into memory, all of one size and mode.

    Args:
        path: has a subfolder per class.
        size: side of the square that images are cut and resized to; None keeps a common size of 8 to 64 pixels a
            side, and takes 64 for others, with a :class:`ResizeWarning` that says from what.

    Raises:
        DataError: no such folder, no classes or images in it, or a file that cannot be read (it is named).
    """
    datasets = import_torchvision("torchvision.datasets")
    try:
        found = datasets.ImageFolder(str(path))
    except FileNotFoundError as error:
        raise DataError(f"{path} is no image folder: expected one subfolder of images per class ({error})") from error
    images = []
    with progress_bar(f"reading {path}", len(found.samples)) as bar:
        for file, _ in found.samples:
            try:
                with Image.open(file) as image:
                    image.load()
                    images.append(_eight_bit(image))
            except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
                raise DataError(f"{file} cannot be read as an image: {error}; repair or remove it") from error
            bar.advance()
    mode = "L" if all(image.mode == "L" for image in images) else "RGB"
    sizes = Counter(image.size for image in images)
    (width, height), _ = sizes.most_common(1)[0]
    if size is not None:
        width = height = size
    elif len(sizes) > 1 or not (_SIDES[0] <= min(width, height) and max(width, height) <= _SIDES[1]):
        width = height = _USUAL
        warnings.warn(_told(path, sizes), ResizeWarning, stacklevel=2)
    v2 = import_torchvision("torchvision.transforms.v2.functional")
    stacked = torch.stack(
        [
            v2.pil_to_tensor(image if image.size == (width, height) else _squared(image, width, height)).to(torch.uint8)
            for image in (image.convert(mode) for image in images)
        ]
    )
    return ArrayDataset(stacked, [target for _, target in found.samples], found.classes)


def _told(path: Path, sizes: Counter[tuple[int, int]]) -> str:
    if len(sizes) == 1:
        (width, height) = next(iter(sizes))
        was = f"of {width}×{height} pixels"
    else:
        sides = [side for size in sizes for side in size]
        was = f"of {len(sizes)} sizes, from {min(sides)} to {max(sides)} pixels a side"
    return (
        f"the {sum(sizes.values()):,} images in {path} are {was}: each is cut to a square around its centre and "
        f"resized to {_USUAL}×{_USUAL}; pass --size (size= in Python) for another side"
    )


def _eight_bit(image: Image.Image) -> Image.Image:
    """``image`` in mode L or RGB."""
    if image.mode.startswith("I"):  # 16 bits a pixel: convert() would cut everything above 255 to white
        return Image.fromarray((np.asarray(image).clip(0, 65535) // 257).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("it has floating-point pixels of unknown range; save it with 8 or 16 bits")
    return image.convert("L" if image.mode in ("1", "L", "LA") else "RGB")


def _squared(image: Image.Image, width: int, height: int) -> Image.Image:
    """Cut to the wanted proportions around the centre, then resize."""
    scale = max(width / image.width, height / image.height)
    w, h = width / scale, height / scale
    left, top = (image.width - w) / 2, (image.height - h) / 2
    return image.resize((width, height), Image.Resampling.LANCZOS, box=(left, top, left + w, top + h))
