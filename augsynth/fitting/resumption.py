"""Whether a fit can go on from a checkpoint: only with the settings and the data that it was begun with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from augsynth._names import name_of
from augsynth._settings import differences
from augsynth.checkpoint.format import load_description
from augsynth.errors import CheckpointError
from augsynth.fitting.training_data import TrainingData
from augsynth.generator.generator import Generator


def check_same(folder: Path, made: Generator, data: TrainingData) -> None:
    """Raise a CheckpointError where what is in ``folder`` was begun otherwise than ``made``; says what differs."""
    there = load_description(folder)
    seen = there["fit"].get("data_fingerprint")
    if seen != data.fingerprint:
        raise CheckpointError(
            f"{folder} was fitted on other data (fingerprint {seen}, this dataset has {data.fingerprint}); "
            "resume with the same dataset, or fit anew with resume=False"
        )
    own = _settings(name_of(made), made.config, made.fit_info)
    before = _settings(there["plugin"] or there["class"], there["config"], there["fit"])
    if before["generator"] != own["generator"]:  # whose settings are others, too
        before, own = ({"generator": one["generator"]} for one in (before, own))
    if told := differences(before, {key: value for key, value in own.items() if key in before}):
        raise CheckpointError(
            f"{folder} was fitted with other settings: {told}; resume with its own, or fit anew with resume=False"
        )


def _settings(name: str, config: dict[str, Any], fit_info: dict[str, Any]) -> dict[str, Any]:
    """What decides the steps of a fit, as plain data; what an older checkpoint does not tell is left out."""
    of_fit = {key: fit_info[key] for key in ("seed", "batch_size") if key in fit_info}
    plain: dict[str, Any] = json.loads(json.dumps({"generator": name, **config, **of_fit}))
    return plain
