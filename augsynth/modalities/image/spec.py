"""The space of images that a dataset yields, and the way from it to the space that generators work in, and back.

Generators see float32 tensors of shape (C, H, W) in [-1, 1], whatever the dataset yields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from augsynth.errors import CapabilityError, DataError
from augsynth.joint import Joint
from augsynth.modalities.image.libraries import caller, role_of
from augsynth.sample_spec import SampleSpec

_PIL_CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4, "YCbCr": 3, "HSV": 3}
_FLOATS = ("float16", "bfloat16", "float32", "float64")
_INTEGERS = ("uint8", "int16", "uint16", "int32", "int64")
_KNOWN_RANGES = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))
_EIGHT_BITS = 64.0  # values up to 255 are such only where one is above this: scores from 0 to 16, say, have that range
LOOKED_AT = 1024  # images at once
_SMALLEST = 8  # pixels a side, of an array without channels; what is flatter is no picture


@dataclass(frozen=True)
class ImageSpec(SampleSpec):
    """What the images of a dataset look like. Generators see float32 (C, H, W) in [-1, 1].

    Args:
        form: ``"tensor"``, ``"numpy"`` or ``"pil"``.
        layout: ``"CHW"``, ``"HWC"`` or ``"HW"``.
        channels, height, width: size of an image.
        dtype: an integer or float type, such as ``"uint8"``.
        mode: mode of PIL images, else None.
        low, high: range of each channel; a standard range, or what was seen.
    """

    form: str
    layout: str
    channels: int
    height: int
    width: int
    dtype: str
    mode: str | None
    low: tuple[float, ...]
    high: tuple[float, ...]

    field_names: ClassVar[tuple[str, ...]] = ("image", "img", "pixel_values")

    @classmethod
    def claims(cls, x: Any) -> bool:
        if isinstance(x, Image.Image):
            return True
        if isinstance(x, Joint):
            return cls.claims(x.x)
        if not isinstance(x, (Tensor, np.ndarray)):
            return False
        return x.ndim == 3 or (x.ndim == 2 and min(x.shape) >= _SMALLEST)

    @classmethod
    def of(
        cls, x: Any, dataset: Any = None, *, low: Sequence[float] | None = None, high: Sequence[float] | None = None
    ) -> ImageSpec:
        """Infer the spec of one image.

        Args:
            x: a PIL image, an array (H, W), (H, W, C) or (C, H, W), or a tensor (H, W), (C, H, W) or (H, W, C),
                with 1 to 4 channels, of integers from 0 to 255 or floats.
            dataset: not needed.
            low, high: per-channel range; read off ``x`` when not given.

        Raises:
            DataError: it is no such image; says what it is and what to do.
        """
        if isinstance(x, Joint):
            from augsynth.modalities.image.masks import JointImageSpec

            return JointImageSpec.of_joint(x, dataset)
        if isinstance(x, Image.Image):
            if x.mode not in _PIL_CHANNELS:
                raise DataError(f"PIL image of mode {x.mode!r}: convert it to 'L' or 'RGB' first, image.convert('RGB')")
            channels = _PIL_CHANNELS[x.mode]
            return cls(
                "pil", "HWC", channels, x.height, x.width, "uint8", x.mode, (0.0,) * channels, (255.0,) * channels
            )
        if not isinstance(x, (Tensor, np.ndarray)):
            raise DataError(
                f"sample input of type {type(x).__name__}: expected a PIL image, a numpy array or a tensor. "
                "If samples have other fields, name the right one with fields="
            )
        form = "tensor" if isinstance(x, Tensor) else "numpy"
        dtype = str(x.dtype).removeprefix("torch.")
        if dtype not in _INTEGERS and dtype not in _FLOATS:
            how = "x.to(torch.uint8)" if form == "tensor" else "x.astype('uint8')"
            hint = f"; binary images as integers, {how}" if dtype == "bool" else ""
            raise DataError(f"image of dtype {dtype}: expected integers from 0 to 255, or a float type{hint}")
        layout, (channels, height, width) = _layout(tuple(x.shape), channels_first=form == "tensor")
        if low is None or high is None:
            low, high = value_range(_tensor(x), layout)
        return cls(form, layout, channels, height, width, dtype, None, tuple(low), tuple(high))

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W), the shape that generators see."""
        return self.channels, self.height, self.width

    def to_raw(self, x: Any) -> Tensor:
        """One image as a (C, H, W) tensor of its own dtype and range."""
        if isinstance(x, Image.Image):
            got = ("pil", _PIL_CHANNELS.get(x.mode, 0), x.height, x.width, x.mode)
            if got != ("pil", self.channels, self.height, self.width, self.mode):
                raise DataError(
                    f"a PIL image of mode {x.mode} and size {x.width}×{x.height}: expected {self.described}"
                )
            array = torch.from_numpy(np.array(x))
            return array[None] if array.ndim == 2 else array.movedim(-1, 0)
        tensor = _tensor(x) if isinstance(x, (Tensor, np.ndarray)) else None
        form = "tensor" if isinstance(x, Tensor) else "numpy"
        if tensor is None or form != self.form or tuple(tensor.shape) != self._yielded_shape:
            what = type(x).__name__ if tensor is None else f"a {form} of shape {tuple(tensor.shape)}"
            raise DataError(f"{what}: expected {self.described}")
        if str(tensor.dtype).removeprefix("torch.") != self.dtype:
            raise DataError(f"a {form} of dtype {tensor.dtype}: expected {self.described}")
        return {"HW": lambda t: t[None], "HWC": lambda t: t.movedim(-1, 0), "CHW": lambda t: t}[self.layout](tensor)

    def raw_to_model(self, raw: Tensor) -> Tensor:
        """(n, C, H, W) of the dataset's dtype and range as float32 in [-1, 1]."""
        low, high = self._range(raw.device)
        return (raw.float() - low) * (2.0 / (high - low)) - 1.0

    def model_to_raw(self, x: Tensor) -> Tensor:
        """(n, C, H, W) in [-1, 1] as the dataset's dtype and range; values outside are clipped."""
        low, high = self._range(x.device)
        # in place after the first operation: fresh memory costs more than the arithmetic
        values = x.float().clamp(-1.0, 1.0).add_(1.0).mul_((high - low) / 2.0).add_(low)
        if self.dtype in _INTEGERS:
            return values.round_().to(getattr(torch, self.dtype))
        return values.to(getattr(torch, self.dtype))

    def collated(self, x: Tensor) -> Tensor:
        if self.form == "pil":
            raise CapabilityError("the generator yields PIL images, which no batch holds: fit it on tensors")
        raw = self.model_to_raw(x)
        return raw[:, 0] if self.layout == "HW" else raw.movedim(1, -1) if self.layout == "HWC" else raw

    def refined(self, raw: Tensor) -> ImageSpec:
        """The spec of all of a dataset's images: with the range that all of them have. Integers up to 255 have that of
        eight bits, but where none is above 64: binary images have 0 and 1."""
        if self.dtype == "uint8" and any((part > _EIGHT_BITS).any() for part in raw.split(LOOKED_AT)):
            return self
        low, high = value_range(raw, "NCHW")
        return replace(self, low=low, high=high)

    def check_size(self) -> None:
        super().check_size()
        if self.dtype not in (*_INTEGERS, *_FLOATS):
            raise ValueError(f"images of dtype {self.dtype!r}: expected one of {', '.join((*_INTEGERS, *_FLOATS))}")

    def read_off(self) -> str | None:
        if {*zip(self.low, self.high, strict=True)} <= {*_KNOWN_RANGES}:
            return None
        found = f"{min(self.low):g} to {max(self.high):g}"
        return f"the range of the values, {found}, was read off the images (bring it to [0, 1])"

    def yielded(self, raw: Tensor) -> Any:
        """(n, C, H, W) in the dataset's dtype and range as what the dataset yields: a tensor (n, ...), an array
        (n, ...), or a list of n PIL images."""
        if self.layout == "HW":
            raw = raw[:, 0]
        elif self.layout == "HWC":
            raw = raw.movedim(1, -1)
        if self.form == "tensor":
            return raw.contiguous()
        array = np.ascontiguousarray(raw.numpy())
        if self.form == "numpy":
            return array
        return [_pil(one, str(self.mode)) for one in array]

    @property
    def yielded_ndim(self) -> int:
        return 2 if self.layout == "HW" else 3

    def differences(self, other: Any) -> list[str]:
        if not isinstance(other, ImageSpec):
            return super().differences(other)
        named = {"form": "type", "layout": "layout", "dtype": "dtype", "mode": "PIL mode"}
        told = [
            f"{text}: {getattr(self, name)} against {getattr(other, name)}"
            for name, text in named.items()
            if getattr(self, name) != getattr(other, name)
        ]
        sizes = [(one.channels, one.height, one.width) for one in (self, other)]
        if sizes[0] != sizes[1]:
            told.insert(0, f"shape (C, H, W): {sizes[0]} against {sizes[1]}")
        masks = ["with" if getattr(one, "mask", None) is not None else "without" for one in (self, other)]
        return told if masks[0] == masks[1] else [*told, f"mask: {masks[0]} against {masks[1]}"]

    @classmethod
    def role_of(cls, x: Any, value: Any) -> str | None:
        return role_of(x, value)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Any:
        if "mask" not in data:
            return super().from_json(data)
        from augsynth.modalities.image.masks import JointImageSpec, MaskSpec

        mask = data["mask"]
        known = None if mask is None else MaskSpec(**{**mask, "values": tuple(map(int, mask["values"]))})
        return super(ImageSpec, JointImageSpec).from_json({**data, "mask": known})

    def misfit(self, raw: Tensor) -> str | None:
        if self.admits(raw):
            return None
        return f"has values from {float(raw.min()):g} to {float(raw.max()):g}; normalise the dataset as for the fit"

    def caller(self, transform: Any) -> Callable[[Any, int | None], Any] | None:
        return caller(transform, type(self))

    def admits(self, raw: Tensor, *, tolerance: float = 0.05) -> bool:
        """Whether the values of (C, H, W) ``raw`` lie in this range, give or take a share of its width."""
        low, high = (bound[0] for bound in self._range(raw.device))
        slack = tolerance * (high - low)
        values = raw.float()
        return bool(((values >= low - slack) & (values <= high + slack)).all())

    @property
    def described(self) -> str:
        """For messages: ``tensor (1, 28, 28) float32 in [0, 1]``."""
        low, high = min(self.low), max(self.high)
        if self.form == "pil":
            return f"PIL images of mode {self.mode} and size {self.width}×{self.height}"
        return f"{self.form} {self._yielded_shape} {self.dtype} in [{low:g}, {high:g}]"

    @property
    def _yielded_shape(self) -> tuple[int, ...]:
        c, h, w = self.channels, self.height, self.width
        return {"HW": (h, w), "HWC": (h, w, c), "CHW": (c, h, w)}[self.layout]

    def _range(self, device: torch.device) -> tuple[Tensor, Tensor]:
        low, high = (torch.tensor(bound, device=device).view(1, -1, 1, 1) for bound in (self.low, self.high))
        return low, high


def value_range(x: Tensor, layout: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Per-channel range of one image or of a (n, C, H, W) batch (layout ``"NCHW"``): a standard one that fits, or
    what was seen.

    Raises:
        DataError: a value is NaN or infinite.
    """
    channel = {"HW": None, "CHW": 0, "HWC": -1, "NCHW": 1}[layout]
    # a copy of all images as floats would take more memory than they do
    parts = x.split(LOOKED_AT) if layout == "NCHW" else (x,)
    bounds = [_bounds(part.float(), channel) for part in parts]
    low, high = (torch.stack(column) for column in zip(*bounds, strict=True))
    if not (torch.isfinite(low).all() and torch.isfinite(high).all()):
        raise DataError("an image has NaN or infinite values")
    low, high = low.amin(0), high.amax(0)
    known: tuple[tuple[float, float], ...] = _KNOWN_RANGES if float(high.max()) > _EIGHT_BITS else _KNOWN_RANGES[:2]
    if not x.is_floating_point() and layout != "NCHW":  # one of many, and may be dark
        known = _KNOWN_RANGES[2:]
    for known_low, known_high in known:
        if low.min() >= known_low and high.max() <= known_high:
            return (known_low,) * len(low), (known_high,) * len(low)
    high = torch.where(high > low, high, low + 1.0)
    return tuple(low.tolist()), tuple(high.tolist())


def _bounds(x: Tensor, channel: int | None) -> tuple[Tensor, Tensor]:
    rows = x.reshape(1, -1) if channel is None else x.movedim(channel, 0).flatten(1)
    low, high = rows.aminmax(dim=1)  # NaN where a value is
    return low, high


def _layout(shape: tuple[int, ...], *, channels_first: bool) -> tuple[str, tuple[int, int, int]]:
    if len(shape) == 2:
        return "HW", (1, *shape)
    if len(shape) == 3:
        first, last = 1 <= shape[0] <= 4, 1 <= shape[-1] <= 4
        if first and (channels_first or not last):
            return "CHW", (shape[0], shape[1], shape[2])
        if last:
            return "HWC", (shape[2], shape[0], shape[1])
    raise DataError(
        f"image of shape {shape}: expected (H, W), (H, W, C) or (C, H, W) with 1 to 4 channels; "
        "reshape the samples, for example with a transform of the dataset"
    )


def _tensor(x: Tensor | np.ndarray) -> Tensor:
    """``x`` as a tensor; what a file was mapped from read-only is copied."""
    return torch.as_tensor(x if isinstance(x, Tensor) or x.flags.writeable else x.copy())


def _pil(array: np.ndarray, mode: str) -> Image.Image:
    height, width = array.shape[:2]
    return Image.frombytes(mode, (width, height), array.tobytes())
