"""Transforms of audiomentations by name, as a plugin."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

import augsynth
from augsynth import authoring
from augsynth_audio.spec import AudioSpec


class Audiomentations(authoring.SeededTransform):
    """One transform of audiomentations or several in a row, seeded per recording.

    Args:
        transforms: an object; the name of a class; a mapping with ``"name"`` and its arguments; or a list of these.
            None shifts a little and adds a little noise.
        sample_rate: of the recordings, where they do not tell it.

    Example:
        >>> noisy = {"name": "AddGaussianSNR", "min_snr_db": 10, "max_snr_db": 30, "p": 1.0}
        >>> augsynth.create("transform", "audiomentations", transforms=[noisy], sample_rate=8000)
    """

    def __init__(self, transforms: Any = None, *, sample_rate: int = 16_000) -> None:
        library = authoring.import_optional("audiomentations", extra="audio", purpose="its transforms")
        default = [
            {"name": "Shift", "min_shift": -0.1, "max_shift": 0.1, "rollover": False},
            {"name": "AddGaussianSNR", "min_snr_db": 15.0, "max_snr_db": 40.0},
        ]
        self.transforms = authoring.transforms_of(library, default if transforms is None else transforms)
        if isinstance(sample_rate, bool) or not isinstance(sample_rate, int) or sample_rate < 1000:
            raise augsynth.ConfigError(f"sample_rate={sample_rate!r}: expected a whole number of samples a second")
        self.sample_rate = sample_rate

    def __call__(self, x: Any, *, seed: int | None = None) -> Any:
        """Transform a waveform: a tensor or array (time,) or (channels, time), or a dict with ``array`` and
        ``sampling_rate``. Raises DataError for anything else."""
        if not AudioSpec.claims(x):
            raise augsynth.DataError(f"{type(self).__name__} got {type(x).__name__}: expected a waveform")
        spec = AudioSpec.of(x, self)
        raw = spec.to_raw(x)
        if raw.is_floating_point():
            spec = replace(spec, peak=max(1.0, float(raw.abs().max())))
        if seed is None:
            seed = int(torch.randint(2**62, ()))
        with authoring.seeded_globals(seed):
            for one in self.transforms:
                call = spec.caller(one)
                x = one(x) if call is None else call(x, seed)
        return x
