"""What samples a generator has seen."""

from __future__ import annotations

from typing import Any

from augsynth.fitting.private import FINGERPRINT
from augsynth.fitting.training_data import TrainingData


def fitted_on_others(gen: Any, data: TrainingData) -> str | None:
    """The fingerprint of the samples that a generator, or what was recorded of one, was fitted on, where that are not
    ``data``; None where they are, or where that cannot be told: of a private fit, and of one without the labels of
    ``data`` or with topics."""
    info = getattr(gen, "fit_info", None) or {}
    origin = info.get("recorded", {}).get("fitted on", info)
    seen, spec = origin.get("data_fingerprint"), getattr(gen, "spec", None)
    told_apart = getattr(spec, "topics", None) is None and (getattr(spec, "labels", None) is None) == (
        data.spec.labels is None
    )
    return str(seen) if seen not in (None, FINGERPRINT, data.fingerprint) and told_apart else None
