"""Tiny recordings, for tests of code, not of quality."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

RATE, LENGTH = 8000, 1024
FORMS = ("tensor", "tensor-stereo", "numpy", "int16", "dict")


class TinyTones(Dataset[Any]):
    """Decaying tones, whose pitch is the class.

    Args:
        n: number of recordings.
        form: one of ``tensor`` (time,), ``tensor-stereo`` (2, time), ``numpy`` (time,), ``int16`` (tensor), ``dict``.
        classes: number of classes; 0 for none.
        seed: of phase and noise.
    """

    sample_rate = RATE

    def __init__(self, n: int = 24, *, form: str = "tensor", classes: int = 3, seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)
        time = torch.arange(LENGTH) / RATE
        self.targets = [i % classes for i in range(n)] if classes else None
        channels = 2 if form == "tensor-stereo" else 1
        self._waves = []
        for i in range(n):
            pitch = 300.0 * 2 ** (i % max(classes, 1)) * (1 + 0.05 * float(torch.rand((), generator=generator)))
            phase = 2 * math.pi * torch.rand(channels, 1, generator=generator)
            tone = 0.5 * torch.sin(2 * math.pi * pitch * time + phase) * torch.exp(-8 * time)
            self._waves.append(tone + 0.01 * torch.randn(channels, LENGTH, generator=generator))
        self._form = form

    def __len__(self) -> int:
        return len(self._waves)

    def __getitem__(self, index: int) -> Any:
        x = self._in_form(self._waves[index])
        return x if self.targets is None else (x, self.targets[index])

    def _in_form(self, wave: Tensor) -> Any:
        if self._form == "tensor-stereo":
            return wave.clone()
        one = wave[0].clone()
        if self._form == "int16":
            return (one * 32767).round().to(torch.int16)
        if self._form == "numpy":
            return one.numpy()
        if self._form == "dict":
            return {"array": np.asarray(one), "sampling_rate": RATE}
        return one
