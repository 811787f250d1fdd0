"""Losses, samples and verdicts in Weights & Biases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import augsynth
from augsynth import authoring


class WandB(augsynth.Callback):
    """Logs to a run of Weights & Biases: the one that is active, or a new one.

    Losses of a fit become curves; a fitted generator, a picture or a table of samples of each class; what
    ``evaluate`` and ``uplift`` found, values of the run's summary with the sentence of the verdict.

    Args:
        project: of a new run.
        samples: of each class of a fitted generator.
        seed: of these samples.
        options: of ``wandb.init``: ``name``, ``mode="offline"``, ``dir``, ...
    """

    def __init__(self, project: str = "augsynth", *, samples: int = 8, seed: int = 0, **options: Any) -> None:
        self._wandb: Any = authoring.import_optional("wandb", extra="wandb", purpose="the Weights & Biases logger")
        if samples < 0:
            raise augsynth.ConfigError(f"samples={samples!r}: expected 0 or more")
        self.samples, self.seed = samples, seed
        self._own = self._wandb.run is None
        self.run: Any = self._wandb.init(project=project, **options) if self._own else self._wandb.run

    def __call__(self, step: int, losses: Mapping[str, float]) -> None:
        self.run.log({f"fit/{name}": value for name, value in losses.items()} | {"fit/step": step})

    def on_fit_end(self, generator: Any) -> None:
        if not self.samples:
            return
        kind, spec = authoring.modality_of(generator.spec), generator.spec
        made = augsynth.samples_by_class(generator, self.samples, seed=self.seed)
        pictures = {name: kind.picture(spec, batch.model_x, self.samples, cell=64) for name, batch in made.items()}
        if None in pictures.values():
            rows = [[name, line] for name, batch in made.items() for line in kind.lines(spec, batch.model_x)]
            self.run.log({"samples": self._wandb.Table(columns=["class", "sample"], data=rows)})
            return
        self.run.log({f"samples/{name}": self._wandb.Image(picture) for name, picture in pictures.items()})

    def on_result(self, result: Any) -> None:
        numbers = result.to_json()
        values: dict[str, Any] = {"verdict": numbers["sentence"]}
        for name, figure in numbers.get("figures", {}).items():
            values[f"evaluate/{name}"] = figure["value"]
            if figure["floor"] is not None:
                values[f"evaluate/{name}/real"] = figure["floor"]
        values |= {f"uplift/{name}": arm["mean"] for name, arm in numbers.get("arms", {}).items()}
        self.run.summary.update(values)

    def close(self) -> None:
        if self._own:
            self.run.finish()
