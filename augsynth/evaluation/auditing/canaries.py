"""Samples that are like no others, planted in the data to see whether a generator gives them away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import ConcatDataset

from augsynth._numbers import check_whole
from augsynth.recognition import modality_of, read_sample
from augsynth.seeding import check_seed, derive
from augsynth.structure import Fields

_TOSS, _LIKE = 0xCA7A, 0xCA7B


@dataclass(frozen=True)
class Canaries:
    """A dataset with canaries in it, for :func:`augsynth.audit`.

    Attributes:
        dataset: all samples of the original one, and the planted canaries.
        planted: those that are in it, once each.
        held_back: others of the same making that are not.
    """

    dataset: Any
    planted: list[Any]
    held_back: list[Any]


def plant_canaries(
    dataset: Any, n: int = 200, *, repeats: int = 1, fields: Fields | None = None, modality: Any = None, seed: int = 0
) -> Canaries:
    """Make n canaries, and plant each in the dataset or not by the toss of a coin.

    A canary is like no real sample (Carlini et al., "The secret sharer", 2019): noise, or a sentence with random
    digits. It has the label of a sample that is drawn for it. Fit on ``canaries.dataset`` and then call
    ``augsynth.audit(gen, canaries.planted, canaries.held_back)``.

    Args:
        dataset: map-style; what it yields is taken as it is, and the canaries get the same form.
        n: canaries in all; of them about half are planted.
        repeats: how many times each is planted; the privacy of a fit is promised for one time.
        fields: where input and label are, as for :func:`augsynth.fit`.
        modality: name of the kind of data, where it cannot be told.
        seed: of the canaries and the coins.

    Raises:
        ConfigError: an argument cannot be used.
        DataError: the samples are of no kind that is known.
    """
    check_whole(20, n=n)
    check_whole(repeats=repeats)
    seed = check_seed(seed)
    structure, spec = read_sample(dataset[0], fields, modality, dataset)
    inputs = modality_of(spec).canaries(spec, n, seed)
    numbers = torch.arange(n)
    like = (derive(seed, _LIKE, numbers) % len(dataset)).tolist()
    tossed = (derive(seed, _TOSS, numbers) % 2).bool().tolist()
    made = [structure.replace_x(dataset[i], x) for i, x in zip(like, inputs, strict=True)]
    planted = [one for one, heads in zip(made, tossed, strict=True) if heads]
    held_back = [one for one, heads in zip(made, tossed, strict=True) if not heads]
    return Canaries(ConcatDataset([dataset, planted * repeats]), planted, held_back)  # type: ignore[list-item]
