"""Draw from a source of synthetic samples, and again for what the filters reject."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from augsynth._filtering import Filter, accepted, filters_of
from augsynth.batch import SampleBatch
from augsynth.blending.condition import drawn as drawn_from
from augsynth.errors import ConfigError, FilterExhaustedError
from augsynth.pool.sample_pool import SamplePool
from augsynth.seeding import derive, uniform

Rows = slice | list[int]  # which of the samples; slice(None) for all
Make = Callable[[Rows, Tensor], SampleBatch]

MAX_REDRAWS = 64  # with a third of the samples accepted, one in 10^11 is still missing after these
_REDRAW, _TOPIC = 0x4ED4, 0x70B1


class Drawn:
    """n accepted samples: inputs in the dataset's form, class positions of the source or None, provenance."""

    def __init__(self, batch: SampleBatch) -> None:
        self._batch = batch
        self.meta: Sequence[dict[str, Any]] = batch.meta

    @cached_property
    def inputs(self) -> list[Any]:
        return list(self._batch.x.unbind() if isinstance(self._batch.x, Tensor) else self._batch.x)

    @property
    def stacked(self) -> Tensor | None:
        """(n, ...) all inputs, where they are tensors of one shape."""
        if not isinstance(self._batch.x, Tensor):
            return None
        return torch.stack(self.inputs) if "inputs" in self.__dict__ else self._batch.x

    @cached_property
    def classes(self) -> list[Any]:
        return _classes(self._batch)

    def put(self, i: int, batch: SampleBatch, j: int) -> None:
        """Replace sample i by the j-th of ``batch``."""
        if not isinstance(self.meta, list):
            self.meta = list(self.meta)
        self.inputs[i], self.classes[i], self.meta[i] = batch.x[j], _classes(batch)[j], batch.meta[j]


class Filters:
    """Judges of generated samples.

    Args:
        filters: each takes a :class:`SampleBatch` of n and returns (n,) bool, True for what may pass. To keep a
            sample a function of its seed, a filter must judge each sample by itself.
        count: called with the number of samples judged and accepted.

    Raises:
        ConfigError: one of them is not callable.
    """

    def __init__(self, filters: Filter | Sequence[Filter], count: Callable[[int, int], None]) -> None:
        self.filters, self.count = filters_of(filters), count

    def draw(self, make: Make, seeds: Tensor) -> Drawn:
        """Samples of ``make(rows, seeds)`` that all filters accept, one for each seed.

        Raises:
            FilterExhaustedError: a sample was rejected 65 times in a row.
        """
        batch = make(slice(None), seeds)
        drawn = Drawn(batch)
        if not self.filters:
            return drawn
        pending = (~self._accepted(batch)).nonzero().flatten()
        for turn in range(1, MAX_REDRAWS + 1):
            if not len(pending):
                return drawn
            batch = make(pending.tolist(), derive(seeds[pending], _REDRAW, turn))
            passed = self._accepted(batch)
            for j in passed.nonzero().flatten().tolist():
                drawn.put(int(pending[j]), batch, j)
            pending = pending[~passed]
        if len(pending):
            condition = batch.meta[0]["condition"]
            wanted = f" for the label {condition!r}" if condition else ""
            raise FilterExhaustedError(
                f"the filters rejected {MAX_REDRAWS + 1} samples in a row{wanted}: the generator and the filters do "
                "not suit each other. Loosen the filters, lower temperature=, or fit for longer"
            )
        return drawn

    def _accepted(self, batch: SampleBatch) -> Tensor:
        mask = accepted(self.filters, batch)
        self.count(len(mask), int(mask.sum()))
        return mask


class LabelledSource:
    """Asks a source for samples with given labels, or of its own choice, with fixed settings of sampling.

    Args:
        source: a generator, or anything with its ``sample``.
        settings: ``temperature`` and ``truncation``.
        filters: judges of what it yields.
        topics: shares of the topics (topics,) to ask for, or None to ask for none.
    """

    def __init__(self, source: Any, settings: dict[str, Any], filters: Filters, topics: Tensor | None = None) -> None:
        self.source, self.settings, self.filters, self.topics = source, settings, filters, topics

    def draw(self, labels: Tensor | list[Any] | None, seeds: Tensor) -> Drawn:
        """One accepted sample for each seed, with the labels asked for. Raises as :meth:`Filters.draw`."""
        refuse_forked_cuda(self.source)
        # of the first seeds: what is drawn again keeps its topic
        topics = None if self.topics is None else drawn_from(self.topics, uniform(seeds, stream=_TOPIC).double())

        def make(rows: Rows, row_seeds: Tensor) -> SampleBatch:
            wanted = labels
            if isinstance(labels, Tensor):
                wanted = labels[rows]
            elif labels is not None and isinstance(rows, list):
                wanted = [labels[i] for i in rows]
            about = {} if topics is None else {"topics": topics[rows]}
            made: SampleBatch = self.source.sample(labels=wanted, seeds=row_seeds, **about, **self.settings)
            return made

        return self.filters.draw(make, seeds)

    def keeps(self, row: Tensor) -> bool:
        """Whether :meth:`draw_into` can be used: samples lie in a pool as ``row`` is, and no filter judges them."""
        return isinstance(self.source, SamplePool) and not self.filters.filters and self.source._keeps(row)

    def draw_into(self, out: Tensor, at: Tensor, labels: Tensor | list[Any], seeds: Tensor) -> None:
        """Copy what :meth:`draw` would give straight into the rows ``at`` (k,) of ``out``."""
        self.source._sample_into(out, at, labels=labels, seeds=seeds)


def refuse_forked_cuda(source: Any) -> None:
    """Raise a ConfigError where CUDA would raise an unhelpful one."""
    device = getattr(source, "device", None)
    if getattr(device, "type", "cpu") == "cuda" and get_worker_info() is not None and torch.cuda._is_in_bad_fork():
        raise ConfigError(
            f"the generator is on {device}, and CUDA cannot be used in a forked worker process; move it with "
            "gen.to('cpu'), use num_workers=0, or multiprocessing_context='spawn'; with mode='vary' pass "
            "variations= and call make_ahead() before"
        )


def _classes(batch: SampleBatch) -> list[Any]:
    return [None] * len(batch) if batch.classes is None else batch.classes.tolist()
