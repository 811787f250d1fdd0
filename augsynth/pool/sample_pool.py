"""A pool of synthetic samples that worker processes read while a generator elsewhere keeps it full."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from augsynth._names import name_of
from augsynth._numbers import check_whole
from augsynth._one_or_many import number_asked
from augsynth._shares import shares_of
from augsynth.batch import SampleBatch
from augsynth.errors import ConfigError
from augsynth.pool.filler import BUSY_NS, EPOCH, MADE, Board, Filler
from augsynth.pool.pooled import Pooled
from augsynth.pool.reading import PoolReader
from augsynth.pool.slots import Slots, pinned, regions
from augsynth.seeding import check_seed, seeds_for

_REFRESH = ("epoch", "continuous", "never")
_BATCH = 1024  # samples made at a time: what a GPU is used well by, and a CPU cuts into parts of its own


class SamplePool(PoolReader):
    """A source of samples that are made ahead: in shared memory, filled in large batches by a thread of this process,
    read by any number of worker processes without locks.

    It stands where a generator does in :class:`SyntheticDataset`. The samples of a class have slots of their own, so
    that a request for a label gets one.

    Args:
        gen: a fitted generator, on any device.
        size: number of samples. ``refresh="epoch"`` keeps two sets of them.
        refresh: ``"epoch"``: the pool of epoch e is a function of (seed, e); that of the next one is made while this
            one trains, and what a position gets is a function of its seed. ``"continuous"``: samples are renewed as
            fast as the generator can, those that were served most first; not reproducible. ``"never"``: one set, made
            once, a function of the seed; for slow generators beside few real samples, whose epochs are over before
            a set is made.
        labels: how the slots are shared out: None, as the training data; ``"balance"``, equally; a mapping label →
            weight.
        topics: one topic for all, a mapping topic → weight, or None, as frequent as in the training data.
        seed: of the samples.
        reuse: with ``"continuous"``, how often a sample may be served; who comes later waits for a new one.
        batch_size: samples made at a time; halved when the device runs out of memory.
        share: of the time, in (0, 1], that samples are made for at most while nobody waits for one: the next epoch's,
            and renewals. Less leaves more of the device, or of the cores, to the training beside it.
        timeout: seconds to wait for a sample before giving up.
        sampling: passed to :meth:`Generator.sample`: ``temperature``, ``truncation``, options.

    Raises:
        ConfigError: an argument cannot be used, or there is too little shared memory (how much is needed and there).

    Example:
        >>> with augsynth.SamplePool(gen, 20_000) as pool:
        ...     blended = augsynth.SyntheticDataset(real, pool, ratio=0.5, seed=0)
        ...     loader = DataLoader(blended, batch_size=256, num_workers=4)
    """

    capabilities: frozenset[str] = frozenset()

    def __init__(
        self,
        gen: Any,
        size: int,
        *,
        refresh: str = "epoch",
        labels: str | Mapping[Any, float] | None = None,
        topics: Any = None,
        seed: int = 0,
        reuse: int | None = None,
        batch_size: int = _BATCH,
        share: float = 1.0,
        timeout: float = 300.0,
        start: bool = True,
        **sampling: Any,
    ) -> None:
        self.spec: Any = getattr(gen, "spec", None)
        if self.spec is None:
            raise ConfigError("the generator is not fitted: use augsynth.fit(...) or augsynth.load(...)")
        if self.spec.labels is not None and not self.spec.labels.categorical:
            raise ConfigError(
                f"the generator was fitted with targets of kind {self.spec.labels.kind!r}: a pool has slots for "
                "classes; blend with the generator itself"
            )
        if refresh not in _REFRESH:
            raise ConfigError(f"refresh={refresh!r}: expected one of {', '.join(map(repr, _REFRESH))}")
        check_whole(or_none=True, size=size, batch_size=batch_size, reuse=reuse)
        if reuse is not None and refresh != "continuous":
            raise ConfigError("reuse is for refresh='continuous': other samples stay as they are")
        if not isinstance(timeout, (int, float)) or not timeout > 0:
            raise ConfigError(f"timeout={timeout!r}: expected a number of seconds")
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0.0 < share <= 1.0:
            raise ConfigError(f"share={share!r}: expected a number above 0, up to 1")
        self.size, self.refresh, self.reuse, self.timeout = size, refresh, reuse, float(timeout)
        self.plugin = name_of(gen)
        self._checkpoint = getattr(gen, "checkpoint_id", "")
        self.sampling = sampling
        weights = _weights(labels, self.spec) if self.spec.labels is not None else [1.0]
        if sum(weight > 0 for weight in weights) > size:
            raise ConfigError(f"size={size}: expected at least one for each of {len(weights)} classes")
        self._counts = regions(weights, size)
        self._slots = Slots(self.spec, size, buffers=2 if refresh == "epoch" else 1)
        on_gpu = getattr(gen, "device", torch.device("cpu")).type == "cuda" and torch.cuda.is_available()
        unpin = pinned(self._slots.content) if on_gpu else None
        self.pinned = unpin is not None
        classes = torch.repeat_interleave(torch.arange(len(self._counts)), torch.tensor(self._counts))
        self._classes = classes if self.spec.labels is not None else None
        self._board = Board(size)
        self._owner = os.getpid()
        filler = Filler(
            gen,
            self._slots,
            self._board,
            self._classes,
            sampling,
            topics=_topic_shares(topics, self.spec),
            seed=check_seed(seed),
            continuous=refresh == "continuous",
            ahead=refresh == "epoch",
            reuse=reuse,
            batch=batch_size,
            share=float(share),
        )
        gen.sample(1, seed=0, **sampling)  # what it cannot do is said here, not in a thread
        self._filler: Filler | None = filler
        self._close = weakref.finalize(self, _closed, filler, unpin)
        self._began = time.perf_counter()
        filler.start()
        if start:
            self._demand()

    # ------------------------------------------------------------------ what users call

    def fill(self) -> SamplePool:
        """Wait until the pool of this epoch is full. Raises PoolError if it does not come to that."""
        self._demand()
        self._wait(lambda: self._ready(), "the pool to be filled")
        return self

    @property
    def generator(self) -> Any:
        """The generator, in the process that made the pool; None in a worker."""
        return None if self._filler is None else self._filler.gen

    def close(self) -> None:
        """End the thread that fills the pool; also done when the pool is forgotten, and at the end of the process."""
        self._close()

    def __enter__(self) -> SamplePool:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def set_epoch(self, epoch: int) -> None:
        """Go to ``epoch``; done by :meth:`SyntheticDataset.set_epoch`."""
        if self.refresh == "never":
            return
        self._board.cells[EPOCH] = epoch
        if self._filler is not None:
            self._filler.wake.set()

    @property
    def nbytes(self) -> int:
        """Shared memory taken, in bytes, whatever the number of workers."""
        return self._slots.nbytes

    @property
    def conditional(self) -> bool:
        """Whether samples can be requested by label."""
        return self.spec.labels is not None

    def stats(self) -> dict[str, Any]:
        """Figures of the pool.

        Returns:
            ``made``: samples so far; ``made per second``, while the producer was at work; ``busy``: the share of the
            time that it was; ``waited``: seconds that readers waited, over all workers; with ``"continuous"`` also
            ``most served``: how often the most served sample that is there was served.
        """
        busy = int(self._board.cells[BUSY_NS]) * 1e-9
        made = int(self._board.cells[MADE])
        figures: dict[str, Any] = {
            "made": made,
            "made per second": made / busy if busy else 0.0,
            "waited": float(self._board.waited.sum()),
            "busy": busy / max(time.perf_counter() - self._began, 1e-9),
        }
        if self.refresh == "continuous":
            served = self._board.served[self._board.versions > 0]
            figures["most served"] = int(served.max()) if len(served) else 0
        return figures

    def sample(
        self,
        n: int | None = None,
        *,
        labels: Any = None,
        seed: int | None = None,
        seeds: Tensor | Sequence[int] | None = None,
        topics: Any = None,
        temperature: float = 1.0,
        truncation: float | None = None,
        **options: Any,
    ) -> SampleBatch:
        """Samples out of the pool; which ones follows from the seeds, as of :meth:`Generator.sample`.

        Raises:
            ConfigError: settings of sampling, which belong to the pool, or a label without a slot.
            PoolError: the producer failed, or nothing came within the timeout.
        """
        if topics is not None or temperature != 1.0 or truncation is not None or options:
            raise ConfigError("the samples of a pool are made already: pass temperature, topics, ... to SamplePool")
        row_seeds = seeds_for(number_asked(n, labels, seeds), seed=seed, seeds=seeds)
        classes = self._requested(labels, row_seeds)
        self._demand()
        if self.refresh != "continuous":
            raw, drawn_seeds, topics_read = self._from_epoch(classes, row_seeds, self._slots.read)
        else:
            raw, drawn_seeds, topics_read = self._from_renewed(classes, row_seeds)
        settings = {k: v for k, v in self.sampling.items() if isinstance(v, (bool, int, float, str))}
        common = {"plugin": self.plugin, "checkpoint": self._checkpoint, **settings}
        return Pooled(self.spec, raw, classes, drawn_seeds, topics_read, common)

    def __repr__(self) -> str:
        return f"SamplePool({self.plugin}, {self.size}, refresh={self.refresh!r}, {self.nbytes / 2**20:.1f} MiB shared)"

    def __getstate__(self) -> dict[str, Any]:
        # a worker reads; generator and thread stay where they are
        return {**self.__dict__, "_filler": None, "_close": _nothing}


def _topic_shares(topics: Any, spec: Any) -> Tensor | None:
    if topics is None:
        return None
    known = spec.topics
    if known is None:
        raise ConfigError(f"topics={topics!r}: the generator was not fitted by topic")
    weighted = topics if isinstance(topics, Mapping) else {topics: 1.0}
    return shares_of("topics", weighted, known.index, len(known))


def _closed(filler: Filler, unpin: Callable[[], None] | None) -> None:
    filler.stop()
    if unpin is not None:
        unpin()


def _nothing() -> None:
    """What closing means in a worker."""


def _weights(labels: Any, spec: Any) -> list[float]:
    known = spec.labels
    if labels is None:
        return [float(n) for n in known.counts]
    if labels == "balance":
        return [1.0] * len(known)
    if not isinstance(labels, Mapping):
        raise ConfigError(f"labels={labels!r}: expected None, 'balance' or a mapping label → weight")
    return list(shares_of("labels", labels, known.index, len(known)).tolist())
