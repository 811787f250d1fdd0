"""So many variations of each real sample, made once and kept where every worker process reads them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from augsynth._names import name_of
from augsynth._progress import progress_bar
from augsynth.blending.source import Drawn
from augsynth.choosing import choose_by_seed
from augsynth.errors import ConfigError
from augsynth.pool.pooled import Pooled
from augsynth.pool.slots import Slots, put_all
from augsynth.seeding import derive

log = logging.getLogger("augsynth")

Vary = Callable[[list[int], Tensor], Drawn]  # real samples (k,) and as many seeds → variations

_OWN = 0x7A21
_AT_ONCE = 64  # variations, where all are made


class Variations:
    """Variations of real samples: which one is read follows from a seed, and what it is from the real sample alone.

    Those of a real sample are made together when one of them is read first, so that whoever makes them makes the same.
    Where there is too little shared memory for all, each process makes and keeps its own, and a warning says so.

    Args:
        source: the generator that varies.
        n: number of real samples.
        each: number of variations of each.
        seed: of the variations.
    """

    def __init__(self, source: Any, n: int, each: int, seed: int) -> None:
        self.each, self.seed = each, seed
        self._spec = source.spec
        self._common = {"plugin": name_of(source), "checkpoint": getattr(source, "checkpoint_id", "")}
        self._made = torch.zeros(n, dtype=torch.uint8)
        try:
            self._slots = Slots(self._spec, n * each, buffers=1)
            self._made.share_memory_()
        except ConfigError as error:
            self._slots = Slots(self._spec, n * each, buffers=1, shared=False)
            log.warning("variations=%d: each worker process makes and keeps its own: %s", each, error)

    def read(self, rows: Sequence[int], seeds: Tensor, labels: list[Any] | None, vary: Vary) -> Drawn:
        """A variation of each of the real samples ``rows`` (k,).

        Args:
            seeds: (k,) int64; say which.
            labels: of the samples, for a generator that knows labels.
            vary: makes those that are not there yet.
        """
        at = torch.tensor(rows, dtype=torch.int64)
        for row in at[self._made[at] == 0].unique().tolist():
            self._make([row], vary)
        slots = at * self.each + choose_by_seed(seeds, torch.full_like(at, self.each))
        raw, own, _ = self._slots.read(0, slots)
        classes = None if labels is None else self._spec.labels.requested(labels, len(rows))
        return Drawn(Pooled(self._spec, raw, classes, own, None, self._common))

    def make_all(self, vary: Vary, *, progress: bool) -> None:
        """Make all that are not there yet."""
        left = (self._made == 0).nonzero().flatten().split(max(1, _AT_ONCE // self.each))
        with progress_bar("making variations", sum(map(len, left)), show=progress) as bar:
            for rows in left:
                self._make(rows.tolist(), vary)
                bar.advance(len(rows))

    def _make(self, rows: list[int], vary: Vary) -> None:
        slots = (torch.tensor(rows)[:, None] * self.each + torch.arange(self.each)).flatten()

        def put(slots: Tensor, seeds: Tensor) -> Tensor:
            drawn = vary((slots // self.each).tolist(), seeds)
            own = torch.tensor([int(one["seed"]) for one in drawn.meta], dtype=torch.int64)
            return self._slots.write(0, slots, self._spec.inputs(drawn.inputs), own, None)

        put_all(slots, derive(self.seed, _OWN, slots), put)
        self._made[torch.tensor(rows)] = 1
