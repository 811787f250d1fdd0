"""Differentiable augmentation of Zhao et al., "Differentiable augmentation for data-efficient GAN training", 2020.

The policies and their strengths are the paper's. All of them act on real and generated images alike, so that the
discriminator cannot learn the real images by heart, and the generator does not learn the augmentations.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses

from augsynth import authoring


def color(x: Tensor, seeds: Tensor) -> Tensor:
    """Brightness by ±0.5, saturation by 0 to 2, contrast by 0.5 to 1.5."""
    brightness, saturation, contrast = authoring.uniform(seeds, (3,), stream=21)[:, :, None, None, None].unbind(1)
    x = x + brightness - 0.5
    mean = x.mean(dim=1, keepdim=True)
    x = (x - mean) * (saturation * 2.0) + mean
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return (x - mean) * (contrast + 0.5) + mean


def translation(x: Tensor, seeds: Tensor) -> Tensor:
    """Shift by up to an eighth of the size, with zeros (mid-grey) moving in."""
    n, _, height, width = x.shape
    reach = torch.tensor([(height + 4) // 8, (width + 4) // 8], device=x.device)
    shift = (authoring.uniform(seeds, (2,), stream=22) * (2 * reach + 1)).long() - reach  # (n, 2)
    rows = torch.arange(height, device=x.device)[None, :] + shift[:, :1]  # (n, H)
    columns = torch.arange(width, device=x.device)[None, :] + shift[:, 1:]  # (n, W)
    padded = F.pad(x, (1, 1, 1, 1))
    rows, columns = (rows + 1).clamp(0, height + 1), (columns + 1).clamp(0, width + 1)
    batch = torch.arange(n, device=x.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[batch, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def cutout(x: Tensor, seeds: Tensor) -> Tensor:
    """Blank a window of half the size."""
    _, _, height, width = x.shape
    size = torch.tensor([(height + 1) // 2, (width + 1) // 2], device=x.device)
    limits = torch.tensor([height, width], device=x.device) + 1 - size % 2
    start = (authoring.uniform(seeds, (2,), stream=23) * limits).long() - size // 2  # (n, 2)
    rows = torch.arange(height, device=x.device)[None, :] - start[:, :1]
    columns = torch.arange(width, device=x.device)[None, :] - start[:, 1:]
    inside = ((rows >= 0) & (rows < size[0]))[:, :, None] & ((columns >= 0) & (columns < size[1]))[:, None, :]
    return x * (~inside)[:, None].to(x.dtype)


POLICIES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"color": color, "translation": translation, "cutout": cutout}


def diffaugment(x: Tensor, seeds: Tensor, policy: str) -> Tensor:
    """Apply the comma-separated ``policy`` to (n, C, H, W), each image by its own seed."""
    for name in filter(None, policy.split(",")):
        x = POLICIES[name.strip()](x, seeds)
    return x
