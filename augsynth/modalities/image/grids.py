"""A picture of many small pictures."""

from __future__ import annotations

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses


def image_grid(x: Tensor, columns: int, *, scale: int = 1, gap: int = 2, smooth: bool = False) -> Image.Image:
    """Lay (n, C, H, W) in [-1, 1] out in rows of ``columns``; C of 2 or 4 loses its alpha channel.

    ``scale`` enlarges by a whole factor: pixels become squares, or, if ``smooth``, are interpolated (bicubic).
    """
    n, channels, height, width = x.shape
    rgb = x[:, :1].expand(-1, 3, -1, -1) if channels < 3 else x[:, :3]
    mode = "bicubic" if smooth else "nearest"
    rgb = F.interpolate(rgb.float(), scale_factor=float(scale), mode=mode) if scale > 1 else rgb
    pixels = ((rgb.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    height, width = height * scale, width * scale
    rows = (n + columns - 1) // columns
    canvas = torch.full((3, rows * (height + gap) + gap, columns * (width + gap) + gap), 255, dtype=torch.uint8)
    for i in range(n):
        top, left = (i // columns) * (height + gap) + gap, (i % columns) * (width + gap) + gap
        canvas[:, top : top + height, left : left + width] = pixels[i]
    return Image.fromarray(canvas.movedim(0, -1).contiguous().numpy())
