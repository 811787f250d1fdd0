"""A stock DataLoader, made with what is fastest on this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from augsynth._cores import usable_cores
from augsynth._numbers import check_whole
from augsynth._rng_guard import preserved_rng
from augsynth.blending.dataset import SyntheticDataset
from augsynth.blending.stacked import collate
from augsynth.errors import ConfigError

_SECONDS = 1.0  # that each number of workers is tried for, once its first batch is there
_BATCHES = 64
_OF_WORKERS = ("prefetch_factor", "persistent_workers", "multiprocessing_context", "timeout")  # refused where none are


def loader(
    dataset: SyntheticDataset, batch_size: int = 256, *, num_workers: int | None = None, **options: Any
) -> DataLoader[Any]:
    """A stock ``DataLoader`` over a blend: :func:`collate`, persistent workers, pinned memory where there is a GPU, and
    as many workers as are fastest.

    Samples do not depend on the number of workers; only when it is measured, which takes a few seconds, does it depend
    on the machine.

    Args:
        dataset: the blend.
        batch_size: samples a batch; a ``batch_sampler`` among the options has its own.
        num_workers: worker processes; None tries none, one, and as many as there are cores, and takes what hands out
            batches fastest by itself. Reading for that leaves no trace in the blend.
        options: of ``DataLoader``: ``shuffle``, ``sampler``, ``generator``, ``drop_last``, ...; they win over what is
            set here. Those of workers, such as ``prefetch_factor``, count for nothing where none turn out fastest.

    Raises:
        ConfigError: an argument cannot be used.

    Example:
        >>> for epoch in range(epochs):
        ...     blended.set_epoch(epoch)
        ...     for x, y in loader: ...
    """
    if not isinstance(dataset, SyntheticDataset):
        raise ConfigError(f"a dataset of type {type(dataset).__name__}: expected a SyntheticDataset")
    check_whole(batch_size=batch_size)
    if num_workers is None:
        num_workers = _fastest(dataset, batch_size)
        if not num_workers:
            options = {name: value for name, value in options.items() if name not in _OF_WORKERS}
    if options.get("batch_sampler") is None:
        options["batch_size"] = batch_size
    pin_memory = options.pop("pin_memory", torch.cuda.is_available())
    usual = {
        "collate_fn": partial(collate, pin_memory=True) if pin_memory and not num_workers else collate,
        "num_workers": num_workers,
        "persistent_workers": num_workers > 0,
    }
    return DataLoader(dataset, pin_memory=pin_memory, **{**usual, **options})


class _Turns:
    """Batches of positions in a shuffled order, again and again."""

    def __init__(self, n: int, batch_size: int) -> None:
        self.order = torch.randperm(n, generator=torch.Generator().manual_seed(0))
        self.batch_size = batch_size

    def __iter__(self) -> Iterator[list[int]]:
        start = 0
        while True:
            yield self.order[torch.arange(start, start + self.batch_size) % len(self.order)].tolist()
            start += self.batch_size


def _fastest(dataset: SyntheticDataset, batch_size: int) -> int:
    """The number of workers that hands out samples fastest."""
    with preserved_rng():
        rates = {workers: _rate(dataset.apart(), batch_size, workers) for workers in sorted({0, 1, usable_cores()})}
    return max(rates, key=rates.__getitem__)


def _rate(dataset: Dataset[Any], batch_size: int, workers: int) -> float:
    """Samples a second, the start of the workers and their first batches left out."""
    turns = _Turns(len(dataset), batch_size)  # type: ignore[arg-type]
    batches = iter(DataLoader(dataset, batch_sampler=turns, num_workers=workers, collate_fn=collate))
    for _ in range(2 * max(workers, 1)):  # those are made before anybody waits for them
        next(batches)
    began, seen = time.perf_counter(), 0
    for _ in range(_BATCHES):
        next(batches)
        seen += batch_size
        if time.perf_counter() - began > _SECONDS:
            break
    return seen / (time.perf_counter() - began)
