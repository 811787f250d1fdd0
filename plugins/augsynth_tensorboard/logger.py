"""Losses, samples and verdicts in TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import augsynth
from augsynth import authoring


class TensorBoard(augsynth.Callback):
    """Writes event files that ``tensorboard --logdir FOLDER`` shows.

    Losses of a fit become curves; a fitted generator, samples of each class, as a picture
    or as lines; what ``evaluate``
    found, scalars with their real-against-real floors; what ``uplift`` found, the score of each arm. The sentence of a
    verdict is written as text.

    Args:
        folder: where to.
        samples: of each class of a fitted generator.
        seed: of these samples.
    """

    def __init__(self, folder: str | Path = "runs/tensorboard", *, samples: int = 8, seed: int = 0) -> None:
        authoring.import_optional("tensorboard", extra="tensorboard", purpose="the TensorBoard logger")
        from torch.utils.tensorboard import SummaryWriter

        if samples < 0:
            raise augsynth.ConfigError(f"samples={samples!r}: expected 0 or more")
        self.samples, self.seed, self._step = samples, seed, 0
        self._writer: Any = SummaryWriter(str(folder))

    def __call__(self, step: int, losses: Mapping[str, float]) -> None:
        self._step = step
        for name, value in losses.items():
            self._writer.add_scalar(f"fit/{name}", value, step)

    def on_fit_end(self, generator: Any) -> None:
        if self.samples:
            kind = authoring.modality_of(generator.spec)
            for name, batch in augsynth.samples_by_class(generator, self.samples, seed=self.seed).items():
                picture = kind.picture(generator.spec, batch.model_x, self.samples, cell=64)
                if picture is None:
                    lines = "\n\n".join(kind.lines(generator.spec, batch.model_x))
                    self._writer.add_text(f"samples/{name}", lines, self._step)
                else:
                    pixels = np.asarray(picture.convert("RGB"))
                    self._writer.add_image(f"samples/{name}", pixels, self._step, dataformats="HWC")
        self._writer.flush()

    def on_result(self, result: Any) -> None:
        numbers = result.to_json()
        self._writer.add_text("verdict", numbers["sentence"], self._step)
        for name, figure in numbers.get("figures", {}).items():
            self._writer.add_scalar(f"evaluate/{name}", figure["value"], self._step)
            if figure["floor"] is not None:
                self._writer.add_scalar(f"evaluate/{name}/real", figure["floor"], self._step)
        for name, arm in numbers.get("arms", {}).items():
            self._writer.add_scalar(f"uplift/{name}", arm["mean"], self._step)
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()
