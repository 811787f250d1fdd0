"""Mend images by what a flow knows of them: at every time its network says what image is most likely behind a noisy
one."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses

from augsynth import authoring

Clean = Callable[[Tensor, Tensor], Tensor]
"""Images on their way (n, C, H, W) and their times (n,) → the mean of the images that may be behind them."""

_START, _ON = 51, 60  # streams of the noise


def denoised(clean: Clean, x: Tensor, noise: Tensor) -> Tensor:
    """(n, C, H, W) without Gaussian noise of the standard deviations ``noise`` (n,), in units of ``x``.

    An image with noise of deviation s, scaled by 1 - t, is one on its way at time t = s / (1 + s): one evaluation gives
    the mean of all that may be behind it, which has the least squared error there is.
    """
    time = noise / (1 + noise)
    return clean((1 - time)[:, None, None, None] * x, time)


def noise_of(x: Tensor) -> Tensor:
    """(n,) estimated standard deviations of the noise in (n, C, H, W): the median of the diagonal differences, in which
    little of an image is left (Donoho & Johnstone 1994)."""
    difference = (x[..., 1:, 1:] - x[..., 1:, :-1] - x[..., :-1, 1:] + x[..., :-1, :-1]).flatten(1) / 2
    return difference.abs().median(1).values / 0.6745


def completed(
    clean: Clean, known: Callable[[Tensor], Tensor], shape: tuple[int, ...], seeds: Tensor, *, steps: int, draws: int
) -> Tensor:
    """Images (n, C, H, W) that agree with what is known of them, the mean of several draws.

    From noise to image, at each step the likely image is made to agree with what is known, and noise is put on again
    (RePaint, Lugmayr et al. 2022; the correction is that of DDNM, Wang et al. 2023).

    Args:
        known: images → the same, corrected by what is known.
        seeds: (n,) int64.
        steps: of each draw.
        draws: more are nearer to the mean of what is possible, and softer.
    """
    times = torch.linspace(1, 0, steps + 1).tolist()
    total: Tensor | float = 0.0
    for draw in range(draws):
        own = authoring.derive(seeds, draw)
        z = authoring.noise(own, shape, stream=_START)
        for step in range(steps):
            likely = known(clean(z, torch.full_like(z[:, 0, 0, 0], times[step])))
            again = authoring.noise(own, shape, stream=_ON + step)
            z = torch.lerp(likely, again, times[step + 1])
        total = total + z
    made: Tensor = total / draws  # type: ignore[assignment]
    return made


def where_known(x: Tensor, hidden: Tensor) -> Callable[[Tensor], Tensor]:
    """For :func:`completed`: all but ``hidden`` (n, 1, H, W) is known to be as in ``x``."""
    return lambda likely: torch.where(hidden, likely, x)


def from_small(small: Tensor, scale: int) -> Callable[[Tensor], Tensor]:
    """For :func:`completed`: the mean of each ``scale`` × ``scale`` pixels is known."""

    def corrected(likely: Tensor) -> Tensor:
        apart = small - F.avg_pool2d(likely, scale)
        return likely + F.interpolate(apart, scale_factor=float(scale), mode="nearest")

    return corrected
