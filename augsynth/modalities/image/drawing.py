"""How images are shown, and written to files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from augsynth._atomic import atomic_file
from augsynth._embedded import embedded_picture
from augsynth.modalities.image.grids import image_grid
from augsynth.sample_files import write_each

_SMALL = 16  # pixels: squares of a few pixels are hard to read as a picture
_SHOWN = 10


def picture(x: Tensor, columns: int, *, cell: int, gap: int = 2) -> Any:
    """A grid of (n, C, H, W) in [-1, 1] as a PIL image; small images are enlarged to about ``cell`` pixels."""
    width = x.shape[3]
    scale = max(1, cell // width)
    return image_grid(x.cpu(), columns, scale=scale, gap=gap, smooth=width < _SMALL)


def side_by_side(spec: Any, x: Tensor) -> Tensor:
    """(n, C, H, W) to be looked at: of images with masks, each image beside its mask in greys."""
    mask = getattr(spec, "mask", None)
    if mask is None:
        return x
    image, told = x[:, : spec.channels], x[:, spec.channels :]
    place = (told > 0).float() if mask.channels == 1 else told.argmax(1, keepdim=True) / (mask.channels - 1)
    grey = (place * 2 - 1).to(image.dtype).expand(-1, image.shape[1], -1, -1)
    return torch.cat([image, grey], dim=3)


def html(x: Tensor, *, large: bool) -> str:
    """The first images of (n, C, H, W) in [-1, 1], side by side."""
    shown = x[:_SHOWN]
    made = picture(shown, max(1, len(shown)), cell=72 if large else 44, gap=0 if large else 3)
    return f'<img src="{embedded_picture(made)}" alt="">'


def write(spec: Any, batch: Any, out: Path) -> list[Path]:
    """A grid as ``.png``, or a folder with a subfolder for each label and a file for each image, with its mask beside
    it where there is one."""
    x = side_by_side(spec, batch.model_x.cpu())
    if out.suffix:
        with atomic_file(out) as draft:
            image_grid(x, columns=min(8, len(x)), scale=max(1, 48 // x.shape[-1])).save(draft)
        return [out]
    return write_each(batch, out, ".png", lambda i, file: image_grid(x[i : i + 1], columns=1, gap=0).save(file))
