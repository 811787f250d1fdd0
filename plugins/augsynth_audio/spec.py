"""What the waveforms of a dataset look like."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

import augsynth
from augsynth import authoring

SHORTEST = 256
"""Samples. What is shorter is a vector of features, or a click."""
_MOST_CHANNELS = 7  # eight rows may be a small image
_INTEGERS = {"int16": 2.0**15, "int32": 2.0**31}
_FLOATS = ("float16", "float32", "float64")
_HEADROOM = 1.5


@dataclass(frozen=True)
class AudioSpec(authoring.SampleSpec):
    """What the waveforms of a dataset look like. Generators see float32 (channels, length) in [-1, 1].

    Args:
        form: ``"tensor"``, ``"numpy"``, or ``"dict"`` for ``{"array": ..., "sampling_rate": ...}``.
        channels: 0 for waveforms (time,), else those of (channels, time).
        length: samples of a waveform; all have as many.
        sample_rate: samples a second.
        dtype: of the waveform, such as ``"float32"`` or ``"int16"``.
        peak: largest absolute value of floats, 1 where they keep to [-1, 1].
        keys: of a dict.
    """

    form: str
    channels: int
    length: int
    sample_rate: int
    dtype: str
    peak: float = 1.0
    keys: tuple[str, ...] = ()

    field_names: ClassVar[tuple[str, ...]] = ("audio", "waveform", "speech")

    @classmethod
    def claims(cls, x: Any) -> bool:
        if isinstance(x, Mapping):
            return "array" in x and "sampling_rate" in x
        if not isinstance(x, (Tensor, np.ndarray)) or x.ndim not in (1, 2) or x.shape[-1] < SHORTEST:
            return False
        return x.ndim == 1 or 1 <= x.shape[0] <= _MOST_CHANNELS

    @classmethod
    def of(cls, x: Any, dataset: Any = None) -> AudioSpec:
        """Infer the spec of one waveform.

        Args:
            x: a tensor or array (time,) or (channels, time) of floats, int16 or int32; or a dict with ``array`` and
                ``sampling_rate``.
            dataset: has the attribute ``sample_rate``, itself or what it wraps, where ``x`` is no dict.

        Raises:
            DataError: it is none, or its sample rate is not told.
        """
        keys: tuple[str, ...] = ()
        form = "tensor" if isinstance(x, Tensor) else "numpy"
        if isinstance(x, Mapping):
            form, keys, rate = "dict", tuple(x), x.get("sampling_rate")
            x = x.get("array")
        else:
            rate = next(authoring.attributes_of(dataset, "sample_rate"), None)
        if not isinstance(x, (Tensor, np.ndarray)):
            raise augsynth.DataError(
                f"a waveform of type {type(x).__name__}: expected a tensor or array (time,) or (channels, time)"
            )
        shape, dtype = tuple(x.shape), str(x.dtype).removeprefix("torch.")
        if len(shape) not in (1, 2) or (len(shape) == 2 and not 1 <= shape[0] <= _MOST_CHANNELS):
            raise augsynth.DataError(f"a waveform of shape {shape}: expected (time,), or (channels, time)")
        if shape[-1] == 0:
            raise augsynth.DataError("a waveform of zero length: remove it")
        if shape[-1] < SHORTEST:
            raise augsynth.DataError(f"a waveform of {shape[-1]} samples: expected {SHORTEST} or more")
        if dtype not in _FLOATS and dtype not in _INTEGERS:
            raise augsynth.DataError(f"a waveform of dtype {dtype}: expected floats, int16 or int32")
        if rate is None:
            raise augsynth.DataError(
                "a waveform does not tell its sample rate: give the dataset an attribute sample_rate, or yield dicts "
                "with array and sampling_rate"
            )
        if isinstance(rate, bool) or int(rate) != rate or not 1000 <= rate <= 384_000:
            raise augsynth.DataError(f"a sample rate of {rate!r}: expected a whole number of samples a second")
        return cls(form, 0 if len(shape) == 1 else shape[0], shape[-1], int(rate), dtype, keys=keys)

    @property
    def shape(self) -> tuple[int, ...]:
        return max(1, self.channels), self.length

    @property
    def seconds(self) -> float:
        """Duration of a waveform."""
        return self.length / self.sample_rate

    @property
    def described(self) -> str:
        wide = f"{self.channels} channels" if self.channels else "one channel"
        return (
            f"{self.form} waveforms of {wide}, {self.length} samples ({self.seconds:.3g} s) at {self.sample_rate} Hz, "
            f"{self.dtype}"
        )

    @classmethod
    def compared(cls) -> Iterable[str]:
        return ("form", "channels", "length", "sample_rate", "dtype")

    @property
    def yielded_ndim(self) -> int:
        return 2 if self.channels else 1

    def to_raw(self, x: Any) -> Tensor:
        if isinstance(x, Mapping) != (self.form == "dict"):
            raise augsynth.DataError(f"a {type(x).__name__}: expected {self.described}")
        if isinstance(x, Mapping):
            if x.get("sampling_rate") != self.sample_rate:
                raise augsynth.DataError(
                    f"a sample rate of {x.get('sampling_rate')!r} among others of {self.sample_rate}: resample to one "
                    "rate first"
                )
            x = x.get("array")
        if not isinstance(x, (Tensor, np.ndarray)) or str(x.dtype).removeprefix("torch.") != self.dtype:
            raise augsynth.DataError(f"a {type(x).__name__} of {getattr(x, 'dtype', '?')}: expected {self.described}")
        wanted = (self.channels, self.length) if self.channels else (self.length,)
        if tuple(x.shape) != wanted:
            raise augsynth.DataError(
                f"a waveform of shape {tuple(x.shape)}: expected {wanted}, as of sample 0; pad or cut them to one "
                "length, as AudioFiles does with seconds="
            )
        raw = torch.as_tensor(x if isinstance(x, Tensor) or x.flags.writeable else x.copy())
        if raw.is_floating_point() and not torch.isfinite(raw.sum()):
            raise augsynth.DataError("a waveform with NaN or infinite values")
        return raw.reshape(self.shape)

    def refined(self, raw: Tensor) -> AudioSpec:
        """With the peak of all waveforms. Raises DataError where one is silent: it has nothing to learn from."""
        low, high = raw.flatten(1).aminmax(dim=1)
        silent = (low == high).nonzero().flatten().tolist()
        if silent:
            more = f" and {len(silent) - 1} more" if len(silent) > 1 else ""
            raise augsynth.DataError(f"sample {silent[0]}{more}: silence from beginning to end; remove it")
        if not raw.is_floating_point():
            return self
        peak = float(torch.maximum(low.abs(), high.abs()).max())
        return replace(self, peak=max(1.0, peak))

    def raw_to_model(self, raw: Tensor) -> Tensor:
        return raw.float() / _INTEGERS.get(self.dtype, self.peak)

    def model_to_raw(self, x: Tensor) -> Tensor:
        top = _INTEGERS.get(self.dtype)
        kept = x.float().clamp(-1.0, 1.0)
        if top is None:
            return (kept * self.peak).to(getattr(torch, self.dtype))
        return (kept.double() * top).round().clamp(-top, top - 1).to(getattr(torch, self.dtype))

    def collated(self, x: Tensor) -> Tensor:
        if self.form == "dict":
            raise augsynth.CapabilityError("the generator yields dicts: fit it on tensors")
        raw = self.model_to_raw(x)
        return raw if self.channels else raw[:, 0]

    def yielded(self, raw: Tensor) -> Any:
        own = (raw if self.channels else raw[:, 0]).contiguous()
        if self.form == "tensor":
            return own
        array = own.numpy()
        if self.form == "numpy":
            return array
        known = {"sampling_rate": self.sample_rate}
        return [{key: one if key == "array" else known.get(key, "") for key in self.keys} for one in array]

    def misfit(self, raw: Tensor) -> str | None:
        top = float(raw.abs().max()) if raw.is_floating_point() else 0.0
        if top <= _HEADROOM * self.peak:
            return None
        return f"has values up to {top:g}; scale the waveforms as for the fit"

    def caller(self, transform: Any) -> Callable[[Any, int | None], Any] | None:
        if type(transform).__module__.split(".")[0] != "audiomentations":
            return None
        return lambda x, seed: self._audiomented(transform, x)

    def _audiomented(self, transform: Any, x: Any) -> Any:
        """``x`` by a transform of audiomentations, which takes float32 arrays."""
        model = self.raw_to_model(self.to_raw(x))  # (channels, time)
        given = model.numpy() if self.channels else model[0].numpy()
        made = np.asarray(transform(samples=given.copy(), sample_rate=self.sample_rate), dtype=np.float32)
        sized = replace(self, length=made.shape[-1])
        return sized.batched(torch.from_numpy(made.copy()).reshape(1, *sized.shape))[0]
