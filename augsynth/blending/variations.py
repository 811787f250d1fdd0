"""So many variations of each real sample, made once and kept where every worker process reads them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from augsynth._progress import progress_bar
from augsynth.batch import Provenance
from augsynth.blending.source import Drawn
from augsynth.choosing import choose_by_seed
from augsynth.errors import AugsynthError, ConfigError
from augsynth.pool.slots import Slots, decoded
from augsynth.seeding import derive

log = logging.getLogger("augsynth")

Vary = Callable[[list[int], Tensor], Drawn]  # real samples (k,) and as many seeds → variations

_OWN, _AGAIN, _TRIES = 0x7A21, 0x7A22, 64
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
        self._spec, self._labels = source.spec, source.spec.labels if source.conditional else None
        self._common = {"plugin": getattr(source, "plugin", ""), "checkpoint": getattr(source, "checkpoint_id", "")}
        self._made = torch.zeros(n, dtype=torch.uint8)
        try:
            self._slots = Slots(self._spec, n * each, buffers=1)
            self._made.share_memory_()
        except ConfigError as error:
            self._slots = Slots(self._spec, n * each, buffers=1, shared=False)
            log.warning("variations=%d: each worker process makes and keeps its own: %s", each, error)

    def read(
        self, rows: Sequence[int], seeds: Tensor, labels: list[Any] | None, vary: Vary
    ) -> tuple[list[Any], Provenance]:
        """A variation of each of the real samples ``rows`` (k,), as the dataset yields it, and where it came from.

        Args:
            seeds: (k,) int64; say which.
            labels: of the samples.
            vary: makes those that are not there yet.
        """
        at = torch.tensor(rows, dtype=torch.int64)
        for row in at[self._made[at] == 0].unique().tolist():
            self._make([row], vary)
        slots = at * self.each + choose_by_seed(seeds, torch.full_like(at, self.each))
        raw, own, _ = self._slots.read(0, slots)
        known = self._labels
        classes = None if known is None else known.requested(labels, len(rows))
        inputs = list(self._spec.yielded(decoded(self._spec, raw)))
        return inputs, Provenance(own, {"condition": (known, classes)}, self._common)

    def make_all(self, vary: Vary, *, progress: bool) -> None:
        """Make all that are not there yet."""
        left = (self._made == 0).nonzero().flatten().split(max(1, _AT_ONCE // self.each))
        with progress_bar("making variations", sum(map(len, left)), show=progress) as bar:
            for rows in left:
                self._make(rows.tolist(), vary)
                bar.advance(len(rows))

    def _make(self, rows: list[int], vary: Vary) -> None:
        slots = (torch.tensor(rows)[:, None] * self.each + torch.arange(self.each)).flatten()
        turn = 0
        while len(slots):
            if turn > _TRIES:
                raise AugsynthError(
                    f"{len(slots)} variations in a row were larger than any real sample; fit for longer"
                )
            seeds = derive(self.seed, _OWN, slots)
            drawn = vary((slots // self.each).tolist(), seeds if turn == 0 else derive(seeds, _AGAIN, turn))
            own = torch.tensor([int(one["seed"]) for one in drawn.meta], dtype=torch.int64)
            fits = self._slots.write(0, slots, self._spec.inputs(drawn.inputs), own, None)
            slots, turn = slots[~fits], turn + 1
        self._made[torch.tensor(rows)] = 1
