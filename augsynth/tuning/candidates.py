"""From the settings of a trial to the blend that it trains on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from augsynth.blending.ratio import LinearSchedule
from augsynth.errors import ConfigError
from augsynth.fitting.fit import fit
from augsynth.fitting.training_data import TrainingData
from augsynth.generator.generator import Generator
from augsynth.registry import default_registry
from augsynth.search_space import Choice, FloatRange, IntRange, SearchSpace

_THRESHOLDS = (0.0, 0.3, 0.6, 0.9)  # of the filter "confidence"; 0 for none
_RATIOS = (0.05, 0.9)
_TEMPERATURES = (0.5, 1.2)


class Candidates:
    """Suggests settings, fits generators as needed, and says what :class:`SyntheticDataset` is to be given.

    Args:
        generator: a fitted generator; or the name or class of one, which is fitted on the training part for every other
            set of its own settings.
        part: the training part.
        per_class: a ratio for each class.
        filters: search the threshold of a classifier that confirms labels.
        epochs: of a training run, for schedules.
        seed: of the fits.
        fit_options: of :func:`fit`.
    """

    def __init__(
        self,
        generator: Any,
        part: Any,
        *,
        per_class: bool,
        filters: bool,
        epochs: int,
        seed: int,
        device: str,
        fit_options: dict[str, Any],
    ) -> None:
        self.part, self.per_class, self.epochs = part, per_class, epochs
        self.seed, self.device, self.fit_options = seed, device, fit_options
        self.data = TrainingData.read(part, show=False)
        self.fitted = generator if isinstance(generator, Generator) and generator.spec is not None else None
        self.generator = generator
        self.space: SearchSpace = {} if self.fitted is not None else _search_space(generator)
        self._made: dict[str, Any] = {}
        self._judge: Any = None
        self.filters = filters and self.data.classes is not None and len(self.data.spec.labels) > 1

    def suggest(self, trial: Any) -> dict[str, Any]:
        """Settings of one trial of Optuna, as plain data."""
        mode = trial.suggest_categorical("mode", ["replace", "vary"]) if self._varies else "replace"
        params: dict[str, Any] = {"mode": mode}
        if self.per_class and self.data.spec.labels is not None:
            names = self.data.spec.labels.displayed
            params["ratio"] = {name: trial.suggest_float(f"ratio[{name}]", 0.0, _RATIOS[1]) for name in names}
        else:
            params["ratio"] = trial.suggest_float("ratio", *_RATIOS)
            params["schedule"] = trial.suggest_categorical("schedule", ["constant", "rising", "falling"])
        if mode == "vary":
            params["strength"] = trial.suggest_float("strength", 0.25, 1.5)
        else:
            params["temperature"] = trial.suggest_float("temperature", *_TEMPERATURES)
        if self.filters:
            params["threshold"] = trial.suggest_categorical("threshold", list(_THRESHOLDS))
        if self.space:
            params["generator"] = {name: _suggested(trial, name, one) for name, one in self.space.items()}
        return params

    def options(self, params: dict[str, Any]) -> dict[str, Any]:
        """What :class:`SyntheticDataset` is given for these settings."""
        ratio: Any = params["ratio"]
        if params.get("schedule") == "rising":
            ratio = LinearSchedule(0.0, ratio, epochs=self.epochs)
        elif params.get("schedule") == "falling":
            ratio = LinearSchedule(ratio, 0.0, epochs=self.epochs)
        made: dict[str, Any] = {"ratio": ratio, "mode": params.get("mode", "replace")}
        if "strength" in params:
            made["strength"] = params["strength"]
        if "temperature" in params:
            made["temperature"] = params["temperature"]
        if params.get("threshold"):
            if self._judge is None:
                from augsynth.evaluation.judge import Judge

                self._judge = Judge(self.part, seed=self.seed, device=self.device)
            made["filters"] = [
                default_registry().create("filter", "confidence", real=self._judge, threshold=params["threshold"])
            ]
        return made

    def source(self, params: dict[str, Any]) -> Any:
        """The generator for these settings; fitted once."""
        if params["ratio"] == 0:
            return None
        if self.fitted is not None:
            return self.fitted
        config = params.get("generator", {})
        key = json.dumps(config, sort_keys=True)
        if key not in self._made:
            options = {"seed": self.seed, "device": self.device, "progress": False, **self.fit_options}
            self._made[key] = fit(self.generator, self.part, **options, **config)
        return self._made[key]

    @property
    def _varies(self) -> bool:
        if self.fitted is not None:
            return "vary" in self.fitted.capabilities
        return hasattr(_class_of(self.generator), "vary_batch") and (
            _class_of(self.generator).vary_batch is not Generator.vary_batch
        )


def _search_space(generator: Any) -> SearchSpace:
    space: SearchSpace = _class_of(generator).search_space()
    return space


def _class_of(generator: Any) -> Any:
    if isinstance(generator, str):
        return type(default_registry().create("generator", generator))
    if isinstance(generator, type) and issubclass(generator, Generator):
        return generator
    raise ConfigError(
        f"generator={generator!r}: expected the name of a plugin, a Generator class, or a fitted generator"
    )


_SUGGEST: dict[type, Callable[[Any, str, Any], Any]] = {
    FloatRange: lambda trial, name, one: trial.suggest_float(name, one.low, one.high, log=one.log),
    IntRange: lambda trial, name, one: trial.suggest_int(name, one.low, one.high, log=one.log),
    Choice: lambda trial, name, one: trial.suggest_categorical(name, list(one.options)),
}


def _suggested(trial: Any, name: str, one: Any) -> Any:
    return _SUGGEST[type(one)](trial, f"generator.{name}", one)
