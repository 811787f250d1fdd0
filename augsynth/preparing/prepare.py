"""Look at a dataset before anything is fitted on it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
from torch.utils.data import Subset

from augsynth._device import chosen_device
from augsynth.errors import ConfigError, DataError
from augsynth.fitting.training_data import TrainingData
from augsynth.preparing.findings import KINDS, Preparation
from augsynth.preparing.repeats import find_repeats
from augsynth.preparing.unlike import find_doubted_labels, find_outliers
from augsynth.recognition import modality_of
from augsynth.seeding import check_seed
from augsynth.utility.trials import usable_jobs


def prepare(
    dataset: Any,
    test: Any = None,
    *,
    look_for: Collection[str] = KINDS,
    seed: int = 0,
    device: str | torch.device = "auto",
    jobs: int | None = None,
    progress: bool = True,
) -> Preparation:
    """Find samples that are there twice, or in the test data, too, or doubtfully labelled, or unlike all others.

    Nothing is taken out: see :meth:`Preparation.cleaned`.

    Args:
        dataset: map-style, of a kind that an installed modality knows.
        test: data to score on later, in which no training sample should be.
        look_for: out of ``"duplicates"``, ``"leaks"``, ``"labels"`` and ``"outliers"``. The last two train small
            networks: some minutes for a few thousand samples.
        seed: everything random follows it.
        device: of these networks.
        jobs: how many of those that doubt labels are trained in parallel, in processes; None takes one a core.
        progress: show a progress bar on a terminal.

    Returns:
        What was found, with what was not looked for and why.

    Raises:
        ConfigError: an argument cannot be used.
        DataError: the data is empty or not understood, or the two sets differ in form.

    Example:
        >>> found = augsynth.prepare(train, test)
        >>> print(found)
        >>> found.save("prepared/")
        >>> train = found.cleaned()
    """
    if isinstance(look_for, str) or set(look_for) - set(KINDS):
        raise ConfigError(f"look_for={look_for!r}: expected some of {', '.join(map(repr, KINDS))}")
    seed = check_seed(seed)
    device = chosen_device(device)
    jobs = usable_jobs(jobs, device)
    data = TrainingData.read(dataset, show=progress)
    held = None if test is None else TrainingData.read(test, show=progress)
    if held is not None and (differences := data.spec.differences(held.spec)):
        raise DataError(f"training and test data differ: {'; '.join(differences)}")
    modality = modality_of(data.spec)
    files = _files(dataset)
    found = Preparation(dataset, [], list(_unreadable(dataset)), data=data, test=held)

    def add(made: Any) -> None:
        found.findings += [one for one in made[0] if one.kind in look_for]
        found.notes += made[1]

    if {"duplicates", "leaks"} & set(look_for):
        add(find_repeats(data, held if "leaks" in look_for else None, modality, files))
    if "outliers" in look_for:
        add(find_outliers(data, modality, files, seed=seed, device=device, progress=progress))
    if "labels" in look_for:
        add(find_doubted_labels(data, dataset, files, seed=seed, device=device, jobs=jobs, progress=progress))
    return found


def _unreadable(dataset: Any) -> Any:
    """What the reader of a dataset left out."""
    return _unreadable(dataset.dataset) if isinstance(dataset, Subset) else getattr(dataset, "unreadable", ())


def _files(dataset: Any) -> list[str | None]:
    """The file of each sample, for datasets that keep them."""
    if isinstance(dataset, Subset):
        known = _files(dataset.dataset)
        return [known[i] for i in dataset.indices]
    known = getattr(dataset, "files", None) or [one[0] for one in getattr(dataset, "samples", ()) if _is_named(one)]
    if len(known) != len(dataset):
        return [None] * len(dataset)
    return [str(one) for one in known]


def _is_named(one: Any) -> bool:
    return isinstance(one, tuple) and bool(one) and isinstance(one[0], str)
