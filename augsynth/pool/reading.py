"""Read a pool, in any process: pick slots by seed, copy what is in them, wait where it is not there yet."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from augsynth._orphaned import orphaned
from augsynth.choosing import choose_by_seed
from augsynth.errors import ConfigError, PoolError
from augsynth.pool.filler import DEMANDED, EPOCH, FILLED, ROWS, Board, Filler
from augsynth.pool.slots import Slots
from augsynth.seeding import uniform

_PICK, _LABEL = 0x9C1, 0x9C2
_POLL = 0.002  # seconds
_Read = TypeVar("_Read")


class PoolReader:
    """What a reader needs of a pool; :class:`SamplePool` adds what its owner does."""

    spec: Any
    size: int
    refresh: str
    reuse: int | None
    timeout: float
    _counts: list[int]
    _slots: Slots
    _board: Board
    _filler: Filler | None
    _owner: int

    def _requested(self, labels: Any, seeds: Tensor) -> Tensor:
        """(n,) class of each sample, 0 without labels."""
        known = self.spec.labels
        if known is None:
            if labels is not None:
                raise ConfigError(f"labels={labels!r}: the generator of this pool was fitted without labels")
            return torch.zeros(len(seeds), dtype=torch.int64)
        if labels is None:
            edges = self._edges / self.size
            return torch.searchsorted(edges, uniform(seeds, stream=_LABEL).double(), right=True).clamp(
                max=len(edges) - 1
            )
        classes: Tensor = known.requested(labels, len(seeds))
        if 0 in self._counts and (empty := self._sizes[classes] == 0).any():
            name = known.display(int(classes[empty][0]))
            raise ConfigError(f"the pool has no slots for the label {name!r}: give it a weight in labels=")
        return classes

    @cached_property
    def _sizes(self) -> Tensor:
        return torch.tensor(self._counts)

    @cached_property
    def _starts(self) -> Tensor:
        return self._sizes.cumsum(0) - self._sizes

    @cached_property
    def _regions(self) -> Tensor:
        """(classes, 2) int64: first slot and number of slots of each."""
        return torch.stack([self._starts, self._sizes], dim=1)

    @cached_property
    def _edges(self) -> Tensor:
        return self._sizes.cumsum(0).double()

    def _picked(self, classes: Tensor, seeds: Tensor) -> Tensor:
        """(n,) slots: one of the class, by the seed."""
        starts, sizes = self._regions.index_select(0, classes).unbind(1)
        return starts + choose_by_seed(seeds, sizes)

    def _ready(self) -> bool:
        epoch = int(self._board.cells[EPOCH]) if self.refresh == "epoch" else 0
        buffer = epoch % 2 if self.refresh == "epoch" else 0
        return int(self._board.cells[FILLED + buffer]) == epoch

    def _from_epoch(self, classes: Tensor, seeds: Tensor, copy: Callable[[int, Tensor], _Read]) -> _Read:
        """What ``copy(buffer, slots)`` makes of samples of the current epoch."""
        epoch = int(self._board.cells[EPOCH])
        if not self._ready():
            self._wait(self._ready, f"the samples of epoch {epoch}")
            epoch = int(self._board.cells[EPOCH])
        found = copy(epoch % 2, self._picked(classes, seeds))
        if int(self._board.cells[FILLED + epoch % 2]) != epoch:
            # the epoch went on while they were copied; what was copied may be of two epochs
            return self._from_epoch(classes, seeds, copy)
        return found

    def _keeps(self, row: Tensor) -> bool:
        """Whether :meth:`_sample_into` can be used: samples are kept as ``row`` is, and not renewed all the time."""
        return self.refresh != "continuous" and self._slots.keeps(row)

    def _sample_into(self, out: Tensor, at: Tensor, *, labels: Any, seeds: Tensor) -> None:
        """Copy what ``sample(labels=labels, seeds=seeds)`` gives straight into the rows ``at`` (n,) of ``out``."""
        self._demand()
        classes = self._requested(labels, seeds)
        self._from_epoch(classes, seeds, lambda buffer, slots: self._slots.read_into(buffer, slots, out, at))

    def _demand(self) -> None:
        self._board.cells[DEMANDED] = 1

    def _from_renewed(self, classes: Tensor, seeds: Tensor) -> tuple[Any, Tensor, Tensor]:
        if not self._ready():
            self._wait(self._ready, "the pool to be filled for the first time")
        if self.reuse is None:
            return self._taken(self._picked(classes, seeds))
        # A worker keeps to slots of its own, so that no two count the same one.
        info = get_worker_info()
        worker, workers = (0, 1) if info is None else (info.id, info.num_workers)
        starts = self._starts.tolist()
        taken = np.zeros(self.size, dtype=np.int32)  # since the last part
        parts: list[tuple[Any, Tensor, Tensor]] = []
        slots: list[int] = []
        for c, u in zip(classes.tolist(), uniform(seeds, stream=_PICK).tolist(), strict=True):
            own = np.arange(starts[c], starts[c] + self._counts[c])
            own = own[own % workers == worker] if workers <= len(own) else own
            if not len(self._fresh(own, taken)):  # what was taken must be counted, or it will not be renewed
                parts.append(self._taken(torch.tensor(slots, dtype=torch.int64)))
                slots, taken = [], np.zeros_like(taken)
                self._wait(partial(self._is_fresh, own, taken), "a sample that was not served too often")
            fresh = self._fresh(own, taken)
            slots.append(int(fresh[int(u * len(fresh))]))
            taken[slots[-1]] += 1
        parts.append(self._taken(torch.tensor(slots, dtype=torch.int64)))
        raws, drawn, topics = zip(*parts, strict=True)
        raw = torch.cat(raws) if isinstance(raws[0], Tensor) else [one for part in raws for one in part]
        return raw, torch.cat(drawn), torch.cat(topics)

    def _taken(self, slots: Tensor) -> tuple[Any, Tensor, Tensor]:
        """What :meth:`Slots.read` gives, whole although slots may be renewed at the same time, and counted."""
        raw, drawn, topics = self._slots.read(0, slots)
        torn = self._torn(slots, drawn)
        while len(torn):
            self._wait(partial(self._settled, slots[torn]), "the renewal of a slot")
            again, seeds_again, topics_again = self._slots.read(0, slots[torn])
            for j, i in enumerate(torn.tolist()):
                raw[i] = again[j]
            drawn[torn], topics[torn] = seeds_again, topics_again
            torn = torn[self._torn(slots[torn], seeds_again)]
        served, served_seed = self._board.served.numpy(), self._board.served_seed.numpy()
        for slot, seed in zip(slots.tolist(), drawn.tolist(), strict=True):
            served[slot] = served[slot] + 1 if served_seed[slot] == seed else 1
            served_seed[slot] = seed
        return raw, drawn, topics

    def _settled(self, slots: Tensor) -> bool:
        return not bool((self._board.versions[slots] % 2 == 1).any())

    def _torn(self, slots: Tensor, seeds: Tensor) -> Tensor:
        """Which of the copies were taken while their slots were written."""
        odd = self._board.versions[slots] % 2 == 1
        return (odd | (self._slots.seeds[0][slots] != seeds)).nonzero().flatten()

    def _fresh(self, own: Any, taken: Any) -> Any:
        """Those of the slots ``own`` whose samples may be served once more."""
        board = self._board
        same = board.served_seed.numpy()[own] == self._slots.seeds[0].numpy()[own]
        return own[board.served.numpy()[own] * same + taken[own] < (self.reuse or 1)]

    def _is_fresh(self, own: Any, taken: Any) -> bool:
        return bool(len(self._fresh(own, taken)))

    def _wait(self, ready: Callable[[], bool], what: str) -> None:
        began = time.perf_counter()
        while not ready():
            failure = self._board.failure
            if failure is not None:
                raise PoolError(f"the pool's producer failed while it was to be read: {failure}")
            if self._filler is not None and self._owner == os.getpid() and not self._filler.alive:
                raise PoolError(f"the pool is closed; waited for {what}")
            if orphaned():
                raise PoolError(f"the process that fills the pool is gone; waited for {what}")
            if time.perf_counter() - began > self.timeout:
                raise PoolError(
                    f"waited {self.timeout:g} s for {what}, and it did not come; the generator is slow: ask for a "
                    "smaller pool, pass timeout=, or fill it before with pool.fill()"
                )
            time.sleep(_POLL)
        info = get_worker_info()
        self._board.waited[0 if info is None else 1 + info.id % (ROWS - 1)] += time.perf_counter() - began
