"""The size that networks work at, where images are larger than that."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses

from augsynth.errors import ConfigError
from augsynth.modalities.image.spec import ImageSpec

USUAL = 64  # pixels of the shorter side, unless asked for more: the time of a fit grows with the square


class WorkingSize:
    """Shrinks images to what networks see, and enlarges what they make.

    Args:
        spec: of the images.
        resolution: pixels of the shorter side that networks see; None, or what is not below that of the images, for
            the images' own size.

    Attributes:
        shape: (C, h, w) that networks see.
    """

    def __init__(self, spec: ImageSpec, resolution: int | None) -> None:
        if resolution is not None and (isinstance(resolution, bool) or not isinstance(resolution, int)):
            raise ConfigError(f"resolution={resolution!r}: expected a number of pixels, or None for the images' own")
        if resolution is not None and resolution < 8:
            raise ConfigError(f"resolution={resolution}: expected at least 8 pixels")
        channels, self.height, self.width = spec.shape
        scale = 1.0 if resolution is None else min(1.0, resolution / min(self.height, self.width))
        self.shape = (channels, round(self.height * scale), round(self.width * scale))

    @property
    def same(self) -> bool:
        """Whether networks see images as they are."""
        return self.shape[1:] == (self.height, self.width)

    def shrunk(self, x: Tensor) -> Tensor:
        """(n, C, H, W) as networks see them, (n, C, h, w), by averaging."""
        return x if self.same else F.interpolate(x, self.shape[1:], mode="area")

    def enlarged(self, x: Tensor) -> Tensor:
        """(n, C, h, w) at the size of the images, (n, C, H, W), by cubic interpolation."""
        return x if self.same else F.interpolate(x, (self.height, self.width), mode="bicubic", align_corners=False)


def usual_resolution(spec: ImageSpec) -> dict[str, Any]:
    """The preset ``resolution``: the images' own up to 64 pixels of the shorter side, and 64 beyond."""
    return {"resolution": USUAL if min(spec.height, spec.width) > USUAL else None}


def resolution_remark(name: str, spec: ImageSpec, size: WorkingSize) -> str | None:
    """What is to be said, before it is fitted, of a generator that works at ``size``; None where that is the images'
    own."""
    if size.same:
        return None
    (_, height, width), full = size.shape, f"{spec.width}×{spec.height}"
    return (
        f"{name} sees these images of {full} at {width}×{height} and enlarges what it makes to {full}; variations of "
        "real images keep their detail. resolution=... takes another size, at a cost that grows with its square"
    )
