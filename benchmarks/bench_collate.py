"""A blend over arrays against the bare dataset that it stands for, in a stock DataLoader with the stock collate.

Cases: the blend at ratio 0 and at 0.5 from a pool that was filled before, with the stock collate and with
``augsynth.collate``; as the best that a bare dataset can have, ``TensorDataset`` indexed a batch at a time; and, as
what no loader can do without, the copy of the rows of a batch alone. All in turns; medians of the ratios of a turn.
Once more with a process that keeps each core busy, as others on a machine do.

    python benchmarks/bench_collate.py
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from common import in_turns, record
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, TensorDataset

import augsynth
from augsynth._gather import gathered

BATCH, RATIO = 256, 0.5
SHAPES = {"28x28": ((1, 28, 28), 20_000), "64x64 RGB": ((3, 64, 64), 6_000)}


def reading(dataset: Any, workers: int, collate: Any = None) -> Callable[[], None]:
    """One epoch of ``dataset``, shuffled."""
    options: dict[str, Any] = {} if collate is None else {"collate_fn": collate}
    loader: Any = DataLoader(
        dataset, BATCH, shuffle=True, num_workers=workers, persistent_workers=workers > 0, **options
    )

    def run() -> None:
        if hasattr(dataset, "set_epoch"):
            dataset.set_epoch((dataset.epoch + 1) % 1000)
        for _ in loader:
            pass

    return run


def indexed(real: TensorDataset) -> Callable[[], None]:
    """One epoch of a ``TensorDataset``, a batch by one index operation."""
    sampler = BatchSampler(RandomSampler(real), BATCH, drop_last=False)
    loader: Any = DataLoader(real, sampler=sampler, batch_size=None)

    def run() -> None:
        for _ in loader:
            pass

    return run


def copying(real: TensorDataset) -> Callable[[], None]:
    """What an epoch copies, and nothing else: no loader, no blend."""
    inputs, targets = real.tensors

    def run() -> None:
        for rows in torch.randperm(len(real)).split(BATCH):
            gathered(inputs, rows)
            gathered(targets, rows)

    return run


@contextmanager
def others(busy: bool) -> Iterator[None]:
    """With a process for each core that does nothing but take its time, or without."""
    loop = [sys.executable, "-c", "while True: pass"]
    running = [subprocess.Popen(loop) for _ in range(os.cpu_count() or 1)] if busy else []
    try:
        yield
    finally:
        for one in running:
            one.kill()
            one.wait()


def main() -> None:
    warnings.simplefilter("ignore")
    figures: dict[str, Any] = {"batch": BATCH, "ratio": RATIO}
    for name, (shape, n) in SHAPES.items():
        generator = torch.Generator().manual_seed(0)
        real = TensorDataset(torch.rand(n, *shape, generator=generator), torch.arange(n) % 10)
        small = TensorDataset(*real[:500])
        gen = augsynth.fit("vae", small, steps=5, width=8, progress=False, device="cpu")
        with augsynth.SamplePool(gen, 2000, refresh="never") as pool:
            pool.fill()
            half = augsynth.SyntheticDataset(real, pool, ratio=RATIO, seed=0)
            zero = augsynth.SyntheticDataset(real, gen, ratio=0.0, seed=0)
            for workers, busy in ((0, False), (2, False), (0, True)):
                cases = {
                    "bare": reading(real, workers),
                    "0.5, stock collate": reading(half, workers),
                    "0.5, augsynth.collate": reading(half, workers, augsynth.collate),
                    "0, stock collate": reading(zero, workers),
                    "0, augsynth.collate": reading(zero, workers, augsynth.collate),
                }
                if not workers:
                    cases |= {"bare, a batch at a time": indexed(real), "the copy alone": copying(real)}
                with others(busy):
                    times = in_turns(cases, repeats=15)
                speeds = {
                    case: statistics.median(a / b for a, b in zip(times["bare"], own, strict=True))
                    for case, own in times.items()
                }
                batch = statistics.median(times["bare"]) / (n / BATCH)
                figures[f"{name}, {workers} workers{', busy cores' if busy else ''}"] = {
                    "speed over bare": speeds,
                    "bare, us a batch": 1e6 * batch,
                }
            figures[f"{name}, workers that loader() takes"] = augsynth.loader(half, BATCH).num_workers
    record("collate", figures)


if __name__ == "__main__":
    main()
