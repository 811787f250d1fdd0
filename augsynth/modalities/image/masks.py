"""Masks that a generator makes together with their images, as further channels."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses

from augsynth.errors import CapabilityError, DataError
from augsynth.joint import Joint
from augsynth.modalities.image.libraries import as_mask
from augsynth.modalities.image.spec import LOOKED_AT, ImageSpec

_MOST = 64  # classes; each is a channel


@dataclass(frozen=True)
class MaskSpec:
    """What the masks of a dataset look like.

    Args:
        form: ``"tensor"``, ``"numpy"``, ``"pil"`` or ``"tv"`` (torchvision's ``tv_tensors.Mask``).
        dtype: of a tensor or array.
        layout: ``"HW"``, or ``"CHW"`` with one channel.
        mode: mode of PIL masks, else None.
        values: the class ids that occur, ascending.
    """

    form: str
    dtype: str
    layout: str
    mode: str | None
    values: tuple[int, ...]

    @classmethod
    def of(cls, mask: Any) -> MaskSpec:
        """Infer the spec of one mask. Raises DataError unless it holds whole numbers, one for each pixel."""
        form = "pil" if isinstance(mask, Image.Image) else "numpy"
        if isinstance(mask, Tensor):
            form = "tv" if type(mask).__name__ == "Mask" else "tensor"
        raw = _indices(mask)
        mode = mask.mode if isinstance(mask, Image.Image) else None
        dtype = "uint8" if mode else str(mask.dtype).removeprefix("torch.")
        layout = "CHW" if getattr(mask, "ndim", 2) == 3 else "HW"
        return cls(form, dtype, layout, mode, tuple(raw.unique().tolist()))

    @property
    def channels(self) -> int:
        """How many channels a generator sees: one for two classes, else one for each."""
        return 1 if len(self.values) <= 2 else len(self.values)

    def to_raw(self, mask: Any, size: tuple[int, int]) -> Tensor:
        """(H, W) int64 class ids, of the size of the image. Raises DataError for another size or type."""
        raw = _indices(mask)
        if tuple(raw.shape) != size:
            raise DataError(f"a mask of {tuple(raw.shape)} in an image of {size} (height, width): they must be alike")
        return raw

    def encoded(self, raw: Tensor) -> Tensor:
        """(n, H, W) class ids as (n, channels, H, W) of -1 and 1."""
        values = torch.tensor(self.values, device=raw.device)
        place = torch.searchsorted(values, raw.long().contiguous()).clamp(max=len(values) - 1)
        if len(values) <= 2:
            return (place * 2.0 - 1.0)[:, None]
        return F.one_hot(place, len(values)).movedim(-1, 1) * 2.0 - 1.0

    def decoded(self, x: Tensor) -> Tensor:
        """(n, channels, H, W) as (n, H, W) int64 class ids: the channel that is highest."""
        values = torch.tensor(self.values, device=x.device)
        if len(values) <= 2:
            return values[(x[:, 0] > 0).long().clamp(max=len(values) - 1)]
        return values[x.argmax(1)]

    def yielded(self, raw: Tensor) -> list[Any]:
        """n masks in the form that the dataset yields, each its own object, of class ids (n, H, W)."""
        if self.form == "pil":
            return [Image.fromarray(one.numpy().astype(np.uint8), mode="L").convert(self.mode) for one in raw]
        own = raw[:, None] if self.layout == "CHW" else raw
        if self.form == "numpy":
            return [one.numpy().astype(self.dtype) for one in own]
        made = [one.to(getattr(torch, self.dtype)).clone() for one in own]
        return [as_mask(one) for one in made] if self.form == "tv" else made


@dataclass(frozen=True)
class JointImageSpec(ImageSpec):
    """Images with what lies in them. A mask is made together with its image, as further channels; boxes and keypoints
    are moved by transforms, and made by no generator.

    Args:
        mask: what the masks look like, or None.
        carried: the other roles: ``"boxes"``, ``"keypoints"``.
    """

    mask: MaskSpec | None = None
    carried: tuple[str, ...] = ()

    @classmethod
    def of_joint(cls, joint: Joint, dataset: Any = None) -> JointImageSpec:
        """Infer the spec of an image and what lies in it. Raises DataError where it does not."""
        own = ImageSpec.of(joint.x, dataset)
        mask = MaskSpec.of(joint.inside["mask"]) if "mask" in joint.inside else None
        carried = tuple(role for role in joint.inside if role != "mask")
        made = cls(**{f.name: getattr(own, f.name) for f in fields(own)}, mask=mask, carried=carried)
        if mask is not None:
            mask.to_raw(joint.inside["mask"], (own.height, own.width))
        made.check_inside(joint)
        return made

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) with the channels of the mask."""
        return self.channels + (0 if self.mask is None else self.mask.channels), self.height, self.width

    @property
    def alone(self) -> ImageSpec:
        """The spec of the images without what lies in them."""
        return ImageSpec(**{f.name: getattr(self, f.name) for f in fields(ImageSpec)})

    @property
    def described(self) -> str:
        told = [f"masks of {len(self.mask.values)} classes"] if self.mask else []
        return f"{super().described} with {', '.join([*told, *self.carried])}"

    def check_inside(self, joint: Joint) -> None:
        """Raise a DataError where a box or a keypoint lies outside of the image."""
        for role in self.carried:
            each = 4 if role == "boxes" else 2
            given = torch.as_tensor(np.asarray(joint.inside[role], dtype=np.float64)).reshape(-1, each)
            rows = given.reshape(-1, 2)
            if role == "boxes" and _box_format(joint.inside[role]) != "XYXY":
                continue  # corners are not told by the numbers as they stand
            limit = torch.tensor([self.width, self.height], dtype=torch.float64)
            wrong = ((rows < 0) | (rows > limit)).any(1).nonzero().flatten()
            if len(wrong):
                at = int(wrong[0]) // (2 if role == "boxes" else 1)
                raise DataError(
                    f"{role}: number {at} ({given[at].tolist()}) lies outside of the image of "
                    f"{self.width}×{self.height}"
                )

    def to_raw(self, x: Any) -> Tensor:
        if not isinstance(x, Joint):
            raise DataError(f"{type(x).__name__}: expected {self.described}")
        if self.carried:
            raise DataError(
                f"{' and '.join(self.carried)}: no generator here makes them, and a variation may move what they mark. "
                "Transforms move them along: blend with ratio=0 and no generator; or leave them out, naming the other "
                "fields with fields="
            )
        image = super().to_raw(x.x)
        if self.mask is None:
            return image
        mask = self.mask.to_raw(x.inside["mask"], (self.height, self.width))
        if int(mask.max()) > 255 and image.dtype == torch.uint8:
            raise DataError(f"a mask with the class {int(mask.max())}: of 8-bit images, expected at most 255")
        return torch.cat([image, mask[None].to(image.dtype)])

    def refined(self, raw: Tensor) -> JointImageSpec:
        """With the range of all images, and the classes of all masks."""
        made: Any = super().refined(raw[:, : self.channels])
        if self.mask is None:
            return made
        parts = [part[:, self.channels].long().unique() for part in raw.split(LOOKED_AT)]
        values = tuple(torch.cat(parts).unique().tolist())
        if len(values) > _MOST:
            raise DataError(f"masks of {len(values)} classes: expected at most {_MOST}")
        return replace(made, mask=replace(self.mask, values=values))

    def raw_to_model(self, raw: Tensor) -> Tensor:
        image = super().raw_to_model(raw[:, : self.channels])
        return image if self.mask is None else torch.cat([image, self.mask.encoded(raw[:, self.channels])], dim=1)

    def model_to_raw(self, x: Tensor) -> Tensor:
        image = super().model_to_raw(x[:, : self.channels])
        if self.mask is None:
            return image
        return torch.cat([image, self.mask.decoded(x[:, self.channels :])[:, None].to(image.dtype)], dim=1)

    def yielded(self, raw: Tensor) -> Any:
        images = list(super().yielded(raw[:, : self.channels]))
        if self.mask is None:
            return images
        masks = self.mask.yielded(raw[:, self.channels].long())
        return [Joint(image, {"mask": mask}) for image, mask in zip(images, masks, strict=True)]

    def collated(self, x: Tensor) -> Tensor:
        raise CapabilityError(f"{self.described}: a batch of them is several tensors")

    def differences(self, other: Any) -> list[str]:
        told = super().differences(other)
        mask: MaskSpec | None = getattr(other, "mask", None)
        if self.mask is not None and mask is not None and (unknown := set(mask.values) - set(self.mask.values)):
            told.append(f"classes of the mask: {self.mask.values} against {sorted(unknown)} besides")
        return told

    def misfit(self, raw: Tensor) -> str | None:
        return super().misfit(raw[: self.channels])


def _indices(mask: Any) -> Tensor:
    """(H, W) int64."""
    array = np.array(mask) if isinstance(mask, Image.Image) else mask
    if not isinstance(array, (Tensor, np.ndarray)):
        raise DataError(f"a mask of type {type(mask).__name__}: expected a tensor, an array or a PIL image")
    raw = torch.as_tensor(array)
    if raw.ndim == 3 and raw.shape[0] == 1:
        raw = raw[0]
    if raw.ndim != 2:
        raise DataError(f"a mask of shape {tuple(raw.shape)}: expected (H, W), a class id for each pixel")
    if raw.is_floating_point() and not bool((raw == raw.round()).all()):
        raise DataError("a mask with broken numbers: expected a class id for each pixel")
    return raw.as_subclass(Tensor).long()


def _box_format(boxes: Any) -> str:
    return str(getattr(boxes, "format", "XYXY")).rpartition(".")[2]
