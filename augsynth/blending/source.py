"""What the blend needs of a source of synthetic samples, and how it asks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from augsynth.batch import SampleBatch
from augsynth.errors import ConfigError, FilterExhaustedError
from augsynth.sample_spec import SampleSpec
from augsynth.seeding import derive

Filter = Callable[[SampleBatch], Tensor]

MAX_REDRAWS = 64  # with a third of the samples accepted, one in 10^11 is still missing after these
_REDRAW = 0x4ED4


class Source(Protocol):
    """Anything that yields batches of synthetic samples: a generator, a pool, recorded shards."""

    spec: SampleSpec | None

    def sample(self, n: int | None = None, *, labels: Any = None, seeds: Any = None, **settings: Any) -> SampleBatch:
        """As :meth:`augsynth.Generator.sample`."""
        ...


class FilteredSource:
    """Draws from a source, and again for what the filters reject.

    Args:
        source: where samples come from.
        filters: each takes a :class:`SampleBatch` of n and returns (n,) bool, True for what may pass. To keep a
            sample a function of its seed, a filter must judge each sample by itself.
        settings: passed to the source (``temperature``, ``truncation``).
        count: called with the number of samples drawn and accepted.
    """

    def __init__(
        self, source: Any, filters: Sequence[Filter], settings: dict[str, Any], count: Callable[[int, int], None]
    ) -> None:
        for one in filters:
            if not callable(one):
                raise ConfigError(f"filters: {one!r} is not callable; expected batch → (n,) bool")
        self.source, self.filters, self.settings, self.count = source, tuple(filters), settings, count

    def sample(self, labels: list[Any] | None, seeds: Tensor) -> tuple[list[Any], list[Any], list[dict[str, Any]]]:
        """Inputs, class positions of the source (or None) and provenance of ``len(seeds)`` accepted samples."""
        batch = self._draw(labels, seeds)
        inputs, classes, meta = list(batch.x), _classes(batch), batch.meta
        if not self.filters:
            return inputs, classes, meta  # type: ignore[return-value]
        rows = list(meta)
        pending = (~self._accepted(batch)).nonzero().flatten()
        for turn in range(1, MAX_REDRAWS + 1):
            if not len(pending):
                return inputs, classes, rows
            wanted = None if labels is None else [labels[i] for i in pending.tolist()]
            batch = self._draw(wanted, derive(seeds[pending], _REDRAW, turn))
            accepted = self._accepted(batch)
            redrawn = _classes(batch)
            for j in accepted.nonzero().flatten().tolist():
                i = int(pending[j])
                inputs[i], classes[i], rows[i] = batch.x[j], redrawn[j], batch.meta[j]
            pending = pending[~accepted]
        if len(pending):
            refused = "" if labels is None else f" for the label {labels[int(pending[0])]!r}"
            raise FilterExhaustedError(
                f"the filters rejected {MAX_REDRAWS + 1} samples in a row{refused}: the generator and the filters do not "
                "suit each other. Loosen the filters, lower temperature=, or fit for longer"
            )
        return inputs, classes, rows

    def _draw(self, labels: list[Any] | None, seeds: Tensor) -> SampleBatch:
        made: SampleBatch = self.source.sample(labels=labels, seeds=seeds, **self.settings)
        return made

    def _accepted(self, batch: SampleBatch) -> Tensor:
        mask = torch.ones(len(batch), dtype=torch.bool)
        for one in self.filters:
            verdict = torch.as_tensor(one(batch)).cpu()
            if verdict.shape != mask.shape or verdict.dtype != torch.bool:
                raise ConfigError(
                    f"filter {one!r} returned {verdict.dtype} of shape {tuple(verdict.shape)}; "
                    f"expected bool of shape {tuple(mask.shape)}"
                )
            mask &= verdict
        self.count(len(mask), int(mask.sum()))
        return mask


def _classes(batch: SampleBatch) -> list[Any]:
    return [None] * len(batch) if batch.classes is None else batch.classes.tolist()
