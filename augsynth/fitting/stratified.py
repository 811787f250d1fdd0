"""Hold a share of each class out."""

from __future__ import annotations

import torch

from augsynth.errors import DataError
from augsynth.fitting.training_data import TrainingData


def stratified_split(data: TrainingData, share: float, seed: int) -> tuple[list[int], list[int]]:
    """Positions to train on and to validate on: ``share`` of each class, at least one sample, is for validation.

    Samples that are the same to the last bit stay on one side, or classes that are drawn several times would be
    validated on what they were trained on.

    Raises:
        DataError: no labels, or a class of one sample, however often it is there.
    """
    if data.classes is None:
        raise DataError("the data has no labels")
    generator = torch.Generator().manual_seed(seed)
    digests, train, held = data.digests(), [], []
    for c in data.classes.unique().tolist():
        alike: dict[bytes, list[int]] = {}
        for position in (data.classes == c).nonzero().flatten().tolist():
            alike.setdefault(digests[position], []).append(position)
        own = list(alike.values())
        if len(own) < 2:
            often = f", {len(own[0])} times" if len(own[0]) > 1 else ""
            raise DataError(
                f"a class of one sample (position {own[0][0]}{often}): expected two or more, to hold one out"
            )
        order = torch.randperm(len(own), generator=generator).tolist()
        cut = min(len(own) - 1, max(1, round(share * len(own))))
        held += [position for i in order[:cut] for position in own[i]]
        train += [position for i in order[cut:] for position in own[i]]
    return sorted(train), sorted(held)
