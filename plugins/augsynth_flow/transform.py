"""Mending of images as a transform, for the chain of a blend or a dataset of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import augsynth
from augsynth import authoring


class Restore(authoring.Transform):
    """Take the noise out of an image, or fill in a region of it, by what a fitted generator knows of such images.

    Args:
        gen: a generator with ``restore``, such as ``flow``, or the folder of its checkpoint.
        noise: standard deviation of the noise to take out, as a share of the range of values; ``"auto"`` estimates it
            for each image.
        mask: (H, W), true where each image is to be filled in: a logo, a scratch on the lens. In place of ``noise``.
        steps, draws: of filling in, see :meth:`augsynth_flow.restorer.Restorer.restore`.
        value_range: range of float images.

    Raises:
        ConfigError: both ``noise`` and ``mask``, or neither.
        CapabilityError: the generator does not restore.
    """

    works_on = "array"

    def __init__(
        self,
        gen: Any,
        *,
        noise: float | str | None = None,
        mask: np.ndarray | Tensor | None = None,
        steps: int = 16,
        draws: int = 4,
        value_range: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        super().__init__(value_range=value_range)
        self.gen: Any = augsynth.load(gen) if isinstance(gen, (str, Path)) else gen
        if not hasattr(self.gen, "restore"):
            what = getattr(self.gen, "plugin", type(self.gen).__name__)
            raise augsynth.CapabilityError(f"{what} does not restore images; augsynth/flow does")
        if (noise is None) == (mask is None):
            raise augsynth.ConfigError(f"noise={noise!r}, mask={mask!r}: expected one of the two")
        self.given = (
            {"noise": noise} if mask is None else {"mask": torch.as_tensor(mask), "steps": steps, "draws": draws}
        )

    def apply(self, image: np.ndarray, seed: int) -> np.ndarray:
        spec = self.gen.spec
        x = torch.from_numpy(image).movedim(-1, 0)[None].float() / 127.5 - 1.0
        if x.shape[1:] != spec.shape:
            raise augsynth.DataError(
                f"an image of {_size(x.shape[1:])}, and the generator was fitted on {_size(spec.shape)}: "
                "it mends images like those"
            )
        made = self.gen.restore(spec.yielded(spec.model_to_raw(x)), seed=seed, **self.given)
        mended: np.ndarray = ((spec.inputs(made)[0] + 1) * 127.5).round().clamp(0, 255).byte().movedim(0, -1).numpy()
        return mended


def _size(shape: Any) -> str:
    channels, height, width = shape
    return f"{height}×{width} pixels and {channels} channel{'s' * (channels > 1)}"
