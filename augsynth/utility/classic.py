"""Choose classic augmentation for a dataset, so that synthetic samples are held against a strong baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch.utils.data import Subset

from augsynth.errors import DataError
from augsynth.fitting.stratified import stratified_split
from augsynth.fitting.training_data import TrainingData
from augsynth.recognition import modality_of
from augsynth.utility.arms import with_classic
from augsynth.utility.result import Uplift

NONE = "none"


@dataclass(frozen=True)
class ClassicChoice:
    """The transform that scored best on samples held out of the training set.

    Attributes:
        name: of the candidate; ``"none"`` where none was better than none.
        transform: the transform, or None.
        scores: candidate → mean score.
    """

    name: str
    transform: Any
    scores: dict[str, float]


def tune_classic(
    real: Any,
    candidates: Mapping[str, Any] | None = None,
    *,
    validation: Any = 0.25,
    seeds: int = 3,
    seed: int = 0,
    **options: Any,
) -> ClassicChoice:
    """Compare transforms on a part of ``real`` that is held out for it, and take the best in the mean.

    Args:
        real: the training set, map-style, with labels.
        candidates: name → transform; None takes those of the kind of data. No transform at all is always a candidate.
        validation: share of each class that is held out, a sample that is there several times with all of them; or a
            dataset to validate on, which takes nothing from ``real``.
        seeds: how many to average over.
        seed: everything random follows it.
        options: of :func:`uplift`: ``steps``, ``metric``, ``train``, ``device``, ``jobs``, ``progress``, ...

    Raises:
        DataError: a class with a single sample, or with copies of one, or no labels.
    """
    from augsynth.utility.uplift import uplift

    data = TrainingData.read(real, show=False)
    if data.spec.classes is None or data.classes is None:
        raise DataError("choosing a transform needs labels; the data has none")
    inner, outer = real, validation
    if isinstance(validation, (int, float)):
        part, held = stratified_split(data, float(validation), seed)
        inner, outer = Subset(real, part), Subset(real, held)
    transforms = modality_of(data.spec).classic_candidates(data.spec) if candidates is None else dict(candidates)

    def arm(own: int, transform: Any) -> Any:
        return with_classic(inner, transform, own)

    arms: dict[str, Any] = {NONE: inner}
    arms |= {name: partial(arm, transform=transform) for name, transform in transforms.items()}
    found: Uplift = uplift(inner, outer, arms, seeds=seeds, seed=seed, stop_early=False, **options)
    scores = {name: one.mean for name, one in found.arms.items()}
    best = max(scores, key=scores.__getitem__)
    return ClassicChoice(best, transforms.get(best), scores)
