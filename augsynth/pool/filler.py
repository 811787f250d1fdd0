"""The producer of a pool: a thread that keeps its slots full, in large batches."""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from augsynth.errors import AugsynthError
from augsynth.pool.single_threads import SingleThreads
from augsynth.pool.slots import Slots, put_all
from augsynth.seeding import derive, uniform

log = logging.getLogger("augsynth")

EPOCH, FILLED, FAILED, DEMANDED, MADE, BUSY_NS, CELLS = 0, 1, 3, 4, 5, 6, 7  # FILLED has a cell for each buffer
_POOL, _TOPIC = 0x900, 0x902
ROWS = 65  # for the main process and 64 workers; further ones share
_IDLE = 0.01  # seconds between two looks for work that another process may have asked for
_MESSAGE = 2000  # bytes
_live: weakref.WeakSet[Filler] = weakref.WeakSet()


class Board:
    """What the processes tell one another: a few numbers, a message of failure, and the versions of the slots."""

    def __init__(self, size: int) -> None:
        self.cells = torch.zeros(CELLS, dtype=torch.int64).share_memory_()
        self.cells[FILLED : FILLED + 2] = -1
        self.message = torch.zeros(_MESSAGE, dtype=torch.uint8).share_memory_()
        self.versions = torch.zeros(size, dtype=torch.int64).share_memory_()  # odd while a slot is written
        # how often readers took the sample with this seed; of a slot that was renewed since, the seed is another
        self.served = torch.zeros(size, dtype=torch.int32).share_memory_()
        self.served_seed = torch.full((size,), -1, dtype=torch.int64).share_memory_()
        self.waited = torch.zeros(ROWS, dtype=torch.float64).share_memory_()  # seconds, of each worker

    def fail(self, text: str) -> None:
        raw = text.encode("utf-8")[: _MESSAGE - 1]
        self.message[: len(raw)] = torch.frombuffer(bytearray(raw), dtype=torch.uint8)
        self.cells[FAILED] = len(raw)

    @property
    def failure(self) -> str | None:
        length = int(self.cells[FAILED])
        return bytes(self.message[:length].tolist()).decode("utf-8", "replace") if length else None


class Filler:
    """Fills slots from a thread of the process that made the pool.

    Two threads of one process share the generator and its device; nothing is pickled, no second CUDA context is made,
    and no orphan can be left. A fork waits until no batch is being made, so that worker processes start from a state
    in which no lock of the arithmetic libraries is held.

    Measured against a spawned process on two CPU cores that are shared with two workers (``benchmarks/bench_pool.py``):
    the thread kept a refreshed pool at 1.0 to 1.1 times the samples per second of the process.

    Args:
        gen: the generator.
        slots: where to.
        board: how to tell.
        classes: (size,) int64 class of each slot, or None.
        settings: of sampling.
        topics: shares of the topics (topics,), or None.
        seed: slot i of epoch e is a function of (seed, e, i).
        continuous: renew what was served, rather than epoch by epoch.
        ahead: make the samples of the next epoch, too.
        reuse: in continuous mode, how often a sample may be served.
        batch: samples made at a time.
        share: of the time, to be busy at most while nobody waits. That its threads had a lower priority would be no
            good: they hold the interpreter's lock now and then, and then all others would wait for them.
    """

    def __init__(
        self,
        gen: Any,
        slots: Slots,
        board: Board,
        classes: Tensor | None,
        settings: dict[str, Any],
        *,
        topics: Tensor | None,
        seed: int,
        continuous: bool,
        ahead: bool,
        reuse: int | None,
        batch: int,
        share: float = 1.0,
    ) -> None:
        self.share = share
        self.gen, self.slots, self.board, self.classes, self.settings = gen, slots, board, classes, settings
        self.topics = topics
        self.seed, self.continuous, self.reuse, self.batch, self.ahead = seed, continuous, reuse, batch, ahead
        self.lock = threading.RLock()  # which only its owner can release, see the end of this file
        self.wake = threading.Event()
        self._stop = threading.Event()
        self._threads = SingleThreads.suited_to(gen)
        self._thread = threading.Thread(target=self._run, name="augsynth-pool", daemon=True)
        _live.add(self)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread, once the batch that it is making is done."""
        self._stop.set()
        self.wake.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(timeout=60.0)
        self._threads.close()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    # ------------------------------------------------------------------ the thread

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                if not self.board.cells[DEMANDED] or not self._work():
                    self.wake.wait(_IDLE)
                    self.wake.clear()
        except AugsynthError as error:
            self.board.fail(str(error))
        except Exception as error:  # whatever it is, the readers must hear of it
            self.board.fail(f"{type(error).__name__}: {error}")

    def _work(self) -> bool:
        """Do what is most urgent; False if all is done."""
        if self.continuous:
            return self._renew()
        wanted = int(self.board.cells[EPOCH])
        for epoch in (wanted, wanted + 1) if self.ahead else (wanted,):
            if int(self.board.cells[FILLED + epoch % 2]) != epoch:
                self._fill(epoch)
                return True
        return False

    def _fill(self, epoch: int) -> None:
        buffer = epoch % 2
        self.board.cells[FILLED + buffer] = -1
        seeds = derive(derive(self.seed, _POOL, epoch), torch.arange(self.slots.size))
        start = 0
        while start < self.slots.size:
            if self._stop.is_set() or epoch - int(self.board.cells[EPOCH]) not in (0, 1):
                return  # nobody wants it any more
            part = torch.arange(start, min(start + self.batch, self.slots.size))
            took = self._make(buffer, part, seeds[part])
            start += len(part)
            self._rest(took, lambda: epoch != int(self.board.cells[EPOCH]) + 1)  # the next epoch's can wait
        self.board.cells[FILLED + buffer] = epoch

    def _renew(self) -> bool:
        """Make anew what was served most; False while so little was served that it is not worth a batch."""
        board, size = self.board, self.slots.size
        renewals = board.versions // 2
        part = (renewals == 0).nonzero().flatten()[: self.batch]
        if not len(part):
            used, served = self._served()
            if int(used.sum()) < min(self.batch, max(1, size // 4)) and int(served.max()) < (self.reuse or 2**31):
                return False
            part = served.argsort(descending=True, stable=True)[: min(self.batch, int(used.sum()))]
        took = self._make(0, part, derive(derive(self.seed, _POOL), renewals[part], part))
        if int(board.cells[FILLED]) < 0 and bool((board.versions > 0).all()):
            board.cells[FILLED] = 0
        self._rest(took, lambda: int(board.cells[FILLED]) < 0 or self._used_up())
        return True

    def _served(self) -> tuple[Tensor, Tensor]:
        """(size,) whether the sample that is there was served, and (size,) how often."""
        used = self.board.served_seed == self.slots.seeds[0]
        return used, self.board.served * used

    def _used_up(self) -> bool:
        """Whether a sample was served as often as any may be, so that readers may wait for another."""
        return self.reuse is not None and int(self._served()[1].max()) >= self.reuse

    def _rest(self, took: float, wanted: Callable[[], bool]) -> None:
        """Pause after ``took`` seconds of work, so long that the share is kept, or until somebody waits."""
        end = time.perf_counter() + took * (1.0 / self.share - 1.0)
        while (left := end - time.perf_counter()) > 0 and not self._stop.is_set() and not wanted():
            self._stop.wait(min(left, _IDLE))

    def _make(self, buffer: int, part: Tensor, seeds: Tensor) -> float:
        """Fill these slots; returns the seconds that it took."""
        began = time.perf_counter_ns()
        put_all(part, seeds, partial(self._put, buffer))
        self.board.cells[MADE] += len(part)
        took = time.perf_counter_ns() - began
        self.board.cells[BUSY_NS] += took
        return took / 1e9

    def _put(self, buffer: int, slots: Tensor, seeds: Tensor) -> Tensor:
        classes = None if self.classes is None else self.classes[slots]
        values = self.gen.spec.labels
        labels = None if classes is None or values is None else [values.values[c] for c in classes.tolist()]
        about = {}
        if self.topics is not None:
            u = uniform(seeds, stream=_TOPIC).double()
            about["topics"] = torch.searchsorted(self.topics.cumsum(0), u, right=True).clamp(max=len(self.topics) - 1)

        def written(part: slice) -> Tensor:
            own = {name: values[part] for name, values in about.items()}
            wanted = None if labels is None else labels[part]
            made = self.gen.sample(labels=wanted, seeds=seeds[part], **own, **self.settings)
            if self.continuous:
                versions[slots[part].numpy()] += 1
            fits = self.slots.write(buffer, slots[part], made.model_x, seeds[part], made.topics)
            if self.continuous:
                versions[slots[part].numpy()] += 1
            return fits

        versions = self.board.versions.numpy()
        with self.lock:
            try:
                fits = torch.cat(self._threads.map(written, len(slots)))
            except torch.OutOfMemoryError:
                if self.batch <= 1:
                    raise
                self.batch //= 2
                log.warning("the device is out of memory: the pool goes on with batches of %d", self.batch)
                fits = None
        if fits is None:
            half = max(1, len(slots) // 2)
            return torch.cat(
                [self._put(buffer, slots[:half], seeds[:half]), self._put(buffer, slots[half:], seeds[half:])]
            )
        return fits


def _before_fork() -> None:
    interrupted = None
    for filler in list(_live):
        held = False
        while not held:  # torch's handler of SIGCHLD raises wherever the program is, and Ctrl-C does
            try:
                held = filler.lock.acquire()
            except BaseException as error:
                interrupted = error
    if interrupted is not None:
        raise interrupted


def _after_fork_in_parent() -> None:
    for filler in list(_live):
        while filler.lock._is_owned():  # type: ignore[attr-defined]
            filler.lock.release()


def _after_fork_in_child() -> None:
    _after_fork_in_parent()
    _live.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
