"""The training and test sets of a recipe: how much of the data, drawn by which seed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Subset

from augsynth.datasets.named import has_test_split, open_dataset
from augsynth.errors import ConfigError, DataError
from augsynth.fitting.stratified import stratified_split
from augsynth.fitting.training_data import TrainingData
from augsynth.recipe.keys import DataKeys
from augsynth.seeding import derive

_DRAW, _HELD = 0xD4A3, 0x4E1D
_HELD_MOST = 2000  # samples to choose classic augmentation on


class Sets:
    """The data of a recipe.

    Args:
        keys: what the recipe says of it.
        seed: of the recipe.
        show: show progress bars on a terminal.

    Raises:
        ConfigError: there is no test data, or the data has too few samples of a class.
        DataError: it cannot be read, or has no labels.
    """

    def __init__(self, keys: DataKeys, seed: int, *, show: bool = True) -> None:
        self.keys, self.seed = keys, seed
        self.pool, self.test = _opened(keys, seed)
        self.pool_data = _labelled(TrainingData.read(self.pool, show=show), keys.train)
        self.test_data = _labelled(TrainingData.read(self.test, show=show), keys.test or keys.train)
        if differences := self.pool_data.spec.differences(self.test_data.spec):
            raise DataError(f"training and test data differ: {'; '.join(differences)}")

    @property
    def names(self) -> list[str]:
        """Of the classes, in order."""
        names: list[str] = self.pool_data.spec.labels.displayed
        return names

    def counts(self, draw: int) -> list[int]:
        """Samples of each class in the training set ``draw``, before anything is taken out."""
        classes = self.classes
        available = torch.bincount(classes, minlength=len(self.names)).tolist()
        if self.keys.per_class is not None:
            return [min(self.keys.per_class, own) for own in available]
        if self.keys.long_tail is None:
            return available
        most, least = self.keys.long_tail["most"], self.keys.long_tail["least"]
        order = self.ranking(draw)
        last = max(len(order) - 1, 1)
        wanted = {c: round(most * (least / most) ** (i / last)) for i, c in enumerate(order)}
        short = [self.names[c] for c, n in wanted.items() if available[c] < n]
        if short:
            raise ConfigError(f"data.long_tail: there are too few samples of {', '.join(short)}; lower most ({most})")
        return [wanted[c] for c in range(len(self.names))]

    def ranking(self, draw: int) -> list[int]:
        """Class positions from frequent to rare in a long-tailed draw: which are rare changes with the draw, so that
        no figure rests on which classes happened to be."""
        generator = torch.Generator().manual_seed(int(derive(self.seed, _DRAW, draw, 1)))
        return torch.randperm(len(self.names), generator=generator).tolist()

    def chosen(self, draw: int, without: Tensor | None = None) -> Tensor:
        """Positions of the training set ``draw``, ascending, less those that were taken out."""
        generator = torch.Generator().manual_seed(int(derive(self.seed, _DRAW, draw, 0)))
        order = torch.randperm(len(self.classes), generator=generator)
        parts = [order[self.classes[order] == c][:n] for c, n in enumerate(self.counts(draw))]
        rows = torch.cat(parts).sort().values
        return rows if without is None else rows[~torch.isin(rows, without)]

    def train(self, draw: int, without: Tensor | None = None) -> Any:
        """The training set ``draw``."""
        return Subset(self.pool, self.chosen(draw, without).tolist())

    def rest(self, rows: Tensor, without: Tensor | None = None) -> Tensor:
        """Positions of other samples than these, at random, at most 2,000."""
        generator = torch.Generator().manual_seed(int(derive(self.seed, _DRAW, 2)))
        order = torch.randperm(len(self.classes), generator=generator)
        order = order[~torch.isin(order, rows)]
        return (order if without is None else order[~torch.isin(order, without)])[:_HELD_MOST]

    @property
    def classes(self) -> Tensor:
        """(n,) class positions of the pool."""
        classes = self.pool_data.classes
        if classes is None:
            raise DataError("the data has no labels")
        return classes


def _opened(keys: DataKeys, seed: int) -> tuple[Any, Any]:
    options = {name: value for name, value in keys.options.items() if value is not None}
    everything = open_dataset(keys.train, **options)
    if keys.test is not None:
        return everything, open_dataset(keys.test, split="test" if has_test_split(keys.test) else "train", **options)
    if keys.holdout is None and has_test_split(keys.train):
        return everything, open_dataset(keys.train, split="test", **options)
    if keys.holdout is None:
        raise ConfigError(f"data.train: {keys.train!r} has no test split: add data.test, or data.holdout: 0.3")
    data = _labelled(TrainingData.read(everything, show=False), keys.train)
    train, held = stratified_split(data, keys.holdout, int(derive(seed, _HELD)) % 2**63)
    return Subset(everything, train), Subset(everything, held)


def _labelled(data: TrainingData, name: str) -> TrainingData:
    if data.classes is None or data.spec.classes is None:
        raise DataError(f"data {name!r} has no labels that are classes: a verdict trains classifiers, which need them")
    return data
