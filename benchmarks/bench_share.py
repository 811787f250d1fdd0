"""What a pool that renews its samples costs the training beside it on the same cores, by the share of the time that it
may take.

A small network trains on the CPU, with as many threads as there are cores, on batches half of which come from a pool;
steps a second over those with a pool whose samples stay as they are, in turns, and samples renewed a second.

    python benchmarks/bench_share.py
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from typing import Any

import torch
from common import record
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import augsynth
from augsynth._cores import usable_cores

SHARES = (1.0, 0.5, 0.25, 0.1)


def network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(3136, 10)
    )


def trained(pool: Any, data: TensorDataset, steps: int) -> tuple[float, float]:
    """Steps, and samples renewed, a second."""
    blended = augsynth.SyntheticDataset(data, pool, ratio=0.5, seed=0, progress=False)
    loader, model = DataLoader(blended, batch_size=128, collate_fn=augsynth.collate), network()
    optimizer, batches = torch.optim.Adam(model.parameters()), iter(loader)
    made, began = 0, 0.0
    for step in range(steps + 10):
        if step == 10:  # warm by now
            made, began = pool.stats()["made"], time.perf_counter()
        x, y = next(batches)
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    seconds = time.perf_counter() - began
    return steps / seconds, (pool.stats()["made"] - made) / seconds


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(usable_cores())
    n, source = 128 * (options.steps + 10), torch.Generator().manual_seed(0)
    data = TensorDataset(torch.rand((n, 1, 28, 28), generator=source), torch.arange(n) % 10)
    gen = augsynth.fit("vae", TensorDataset(*data[:1000]), steps=30, progress=False, device="cpu")
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for _ in range(options.turns):
        for share in SHARES:
            with augsynth.SamplePool(gen, 4096, refresh="never", seed=0) as still:
                alone, _ = trained(still.fill(), data, options.steps)
            with augsynth.SamplePool(gen, 4096, refresh="continuous", share=share, seed=0) as pool:
                speed, renewed = trained(pool.fill(), data, options.steps)
            rows.setdefault(f"share {share:g}", []).append((speed / alone, renewed, alone))
    figures = {
        name: {
            "steps over those without renewal": statistics.median(one[0] for one in own),
            "samples renewed a second": statistics.median(one[1] for one in own),
            "steps a second without renewal": statistics.median(one[2] for one in own),
        }
        for name, own in rows.items()
    }
    record("share", figures)


if __name__ == "__main__":
    main()
