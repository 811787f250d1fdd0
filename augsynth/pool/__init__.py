"""A pool of synthetic samples that worker processes read while a generator elsewhere keeps it full."""

from __future__ import annotations

import multiprocessing
import os
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from augsynth._one_or_many import is_one
from augsynth._shares import shares_of
from augsynth.batch import Provenance, SampleBatch
from augsynth.errors import ConfigError, PoolError
from augsynth.pool.filler import BUSY_NS, DEMANDED, EPOCH, FILLED, MADE, ROWS, Board, Filler
from augsynth.pool.slots import Slots, decoded, pinned, regions
from augsynth.seeding import check_seed, seeds_for, uniform

_PICK, _LABEL = 0x9C1, 0x9C2
_REFRESH = ("epoch", "continuous")
_POLL = 0.002  # seconds
_BATCH = 1024  # samples made at a time: what a GPU is used well by, and a CPU cuts into parts of its own


class SamplePool:
    """A source of samples that are made ahead: in shared memory, filled in large batches by a thread of this process,
    read by any number of worker processes without locks.

    It stands where a generator does in :class:`SyntheticDataset`. The samples of a class have slots of their own, so
    that a request for a label gets one.

    Args:
        gen: a fitted generator, on any device.
        size: number of samples. ``refresh="epoch"`` keeps two sets of them.
        refresh: ``"epoch"``: the pool of epoch e is a function of (seed, e); that of the next one is made while this
            one trains, and what a position gets is a function of its seed. ``"continuous"``: samples are renewed as
            fast as the generator can, those that were served most first; not reproducible.
        labels: how the slots are shared out: None, as the training data; ``"balance"``, equally; a mapping label →
            weight.
        topics: one topic for all, a mapping topic → weight, or None, as frequent as in the training data.
        seed: of the samples.
        reuse: with ``"continuous"``, how often a sample may be served; who comes later waits for a new one.
        batch_size: samples made at a time; halved when the device runs out of memory.
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
        timeout: float = 300.0,
        start: bool = True,
        **sampling: Any,
    ) -> None:
        self.spec: Any = getattr(gen, "spec", None)
        if self.spec is None:
            raise ConfigError("the generator is not fitted: use augsynth.fit(...) or augsynth.load(...)")
        if refresh not in _REFRESH:
            raise ConfigError(f"refresh={refresh!r}: expected one of {', '.join(map(repr, _REFRESH))}")
        for name, value in (("size", size), ("batch_size", batch_size), ("reuse", reuse)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise ConfigError(f"{name}={value!r}: expected a whole number from 1 up")
        if reuse is not None and refresh == "epoch":
            raise ConfigError("reuse is for refresh='continuous': the samples of an epoch stay the same")
        if not isinstance(timeout, (int, float)) or not timeout > 0:
            raise ConfigError(f"timeout={timeout!r}: expected a number of seconds")
        self.size, self.refresh, self.reuse, self.timeout = size, refresh, reuse, float(timeout)
        self.plugin = getattr(gen, "plugin", None) or type(gen).__name__
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
            reuse=reuse,
            batch=batch_size,
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
        if n is None:
            several = next((v for v in (labels, seeds) if v is not None and not is_one(v)), None)
            n = 1 if several is None else len(several)
        row_seeds = seeds_for(n, seed=seed, seeds=seeds)
        classes = self._requested(labels, row_seeds)
        self._demand()
        if self.refresh == "epoch":
            raw, drawn_seeds, topics_read = self._from_epoch(classes, row_seeds)
        else:
            raw, drawn_seeds, topics_read = self._from_renewed(classes, row_seeds)
        return _Pooled(self, raw, classes, drawn_seeds, topics_read)

    def __repr__(self) -> str:
        return f"SamplePool({self.plugin}, {self.size}, refresh={self.refresh!r}, {self.nbytes / 2**20:.1f} MiB shared)"

    def __getstate__(self) -> dict[str, Any]:
        # a worker reads; generator and thread stay where they are
        return {**self.__dict__, "_filler": None, "_close": _nothing}

    # ------------------------------------------------------------------ private

    def _demand(self) -> None:
        self._board.cells[DEMANDED] = 1

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
        classes = torch.full((len(seeds),), known.index(labels)) if is_one(labels) else known.indices(labels)
        if (empty := self._sizes[classes] == 0).any():
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
    def _edges(self) -> Tensor:
        return self._sizes.cumsum(0).double()

    def _picked(self, classes: Tensor, seeds: Tensor) -> Tensor:
        """(n,) slots: one of the class, by the seed."""
        sizes = self._sizes[classes]
        inside = torch.from_numpy(_mixed(seeds.numpy()) >> np.uint64(32)).to(torch.int64) * sizes >> 32
        return self._starts[classes] + inside

    def _ready(self) -> bool:
        epoch = int(self._board.cells[EPOCH]) if self.refresh == "epoch" else 0
        buffer = epoch % 2 if self.refresh == "epoch" else 0
        return int(self._board.cells[FILLED + buffer]) == epoch

    def _from_epoch(self, classes: Tensor, seeds: Tensor) -> tuple[Any, Tensor, Tensor]:
        epoch = int(self._board.cells[EPOCH])
        if not self._ready():
            self._wait(self._ready, f"the samples of epoch {epoch}")
            epoch = int(self._board.cells[EPOCH])
        found = self._slots.read(epoch % 2, self._picked(classes, seeds))
        if int(self._board.cells[FILLED + epoch % 2]) != epoch:
            # the epoch went on while they were copied; what was copied may be of two epochs
            return self._from_epoch(classes, seeds)
        return found

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
        raw = torch.cat(raws) if isinstance(raws[0], Tensor) else [text for part in raws for text in part]
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
            if _orphaned():
                raise PoolError(f"the process that fills the pool is gone; waited for {what}")
            if time.perf_counter() - began > self.timeout:
                raise PoolError(
                    f"waited {self.timeout:g} s for {what}, and it did not come; the generator is slow: ask for a "
                    "smaller pool, pass timeout=, or fill it before with pool.fill()"
                )
            time.sleep(_POLL)
        info = get_worker_info()
        self._board.waited[0 if info is None else 1 + info.id % (ROWS - 1)] += time.perf_counter() - began


class _Pooled(SampleBatch):
    """A batch whose form for filters is made when a filter asks for it."""

    def __init__(self, pool: SamplePool, raw: Any, classes: Tensor, seeds: Tensor, topics: Tensor) -> None:
        spec, labels = pool.spec, pool.spec.labels
        raw = decoded(spec, raw)
        self.x = spec.yielded(raw)
        self.y = None if labels is None else labels.batched(classes)
        self.classes = None if labels is None else classes
        known = getattr(spec, "topics", None)
        self.topics = None if known is None else topics
        conditions: dict[str, Any] = {"condition": (labels, self.classes)}
        if known is not None:
            conditions["topic"] = (known, topics)
        settings = {k: v for k, v in pool.sampling.items() if isinstance(v, (bool, int, float, str))}
        common = {"plugin": pool.plugin, "checkpoint": pool._checkpoint, **settings}
        self.meta = Provenance(seeds, conditions, common)
        self._raw, self._spec = raw, spec

    @cached_property
    def model_x(self) -> Any:
        return self._spec.raw_to_model(self._raw)

    def __len__(self) -> int:
        return len(self._raw)


def _topic_shares(topics: Any, spec: Any) -> Tensor | None:
    if topics is None:
        return None
    known = getattr(spec, "topics", None)
    if known is None:
        raise ConfigError(f"topics={topics!r}: the generator was not fitted by topic")
    weighted = topics if isinstance(topics, Mapping) else {topics: 1.0}
    return shares_of("topics", weighted, known.index, len(known))


def _mixed(seeds: Any) -> Any:
    """(n,) uint64 with the bits of int64 seeds mixed: the finaliser of SplitMix64 (Steele et al. 2014). Ten times as
    fast as Philox, and good enough to choose among samples that are random themselves."""
    with np.errstate(over="ignore"):
        z = seeds.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _orphaned() -> bool:
    """Whether this is a worker process whose parent is gone; also told when that is a zombie, or behind a fork
    server."""
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()


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
