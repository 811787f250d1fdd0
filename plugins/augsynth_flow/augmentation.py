"""Augmentation that does not leak into samples (Karras et al., "Elucidating the design space of diffusion-based
generative models", 2022): the network is told what was done to an image, and samples are asked for with nothing done.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses

from augsynth import authoring

EXTRAS = 5
_MOVED, _HOW = 41, 42


def augmented(x: Tensor, seeds: Tensor, probability: float, *, mirror: bool) -> tuple[Tensor, Tensor]:
    """Move, turn, scale and (with ``mirror``) flip each of (n, C, H, W) with a probability.

    Shifts by up to an eighth, turns by up to 12 degrees, scales from 0.87 to 1.15.

    Returns:
        the images, and (n, 5) what was done: flip, two shifts, turn and scale, in [-1, 1]; 0 where nothing was.
    """
    n = len(x)
    if probability == 0.0:
        return x, x.new_zeros(n, EXTRAS)
    moved = (authoring.uniform(seeds, (2,), stream=_MOVED) < probability).float()  # (n, 2): flip, all others
    draws = authoring.uniform(seeds, (EXTRAS,), stream=_HOW) * 2 - 1
    told = torch.cat([moved[:, :1] if mirror else torch.zeros_like(moved[:, :1]), draws[:, 1:] * moved[:, 1:]], dim=1)
    flip, right, down, turn, size = told.unbind(1)
    angle, scale, sign = turn * 0.2, 1.15**-size, 1 - 2 * flip
    cosine, sine = torch.cos(angle) * scale, torch.sin(angle) * scale
    # rows of the inverse map: where in the original a pixel comes from; 2 is the side of a picture
    rows = torch.stack(
        [torch.stack([cosine * sign, -sine, right / 4], dim=1), torch.stack([sine * sign, cosine, down / 4], dim=1)],
        dim=1,
    )
    grid = F.affine_grid(rows, list(x.shape), align_corners=False)
    changed = F.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    untouched = (told == 0).all(1).view(n, 1, 1, 1)  # to the last bit: a resampling softens
    return torch.where(untouched, x, changed), told
