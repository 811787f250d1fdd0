"""Resident memory over five million samples: a blend at 0.5 from a pool, epoch after epoch, in a stock DataLoader.

python benchmarks/bench_memory.py
"""

from __future__ import annotations

import argparse
import warnings

import psutil
import torch
from common import record
from torch.utils.data import DataLoader, TensorDataset

import augsynth

BATCH, LOOK = 256, 250_000


def resident() -> float:
    """MiB of this process and of its workers; memory that they share counts once (PSS)."""
    own = psutil.Process()
    return sum(one.memory_full_info().pss for one in (own, *own.children(recursive=True))) / 2**20


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=5_000_000)
    options = parser.parse_args()
    torch.manual_seed(0)
    real = TensorDataset(torch.rand(20_000, 1, 28, 28), torch.arange(20_000) % 10)
    gen = augsynth.fit("vae", torch.utils.data.Subset(real, range(500)), steps=20, progress=False)
    figures = {}
    for workers in (0, 2):
        with augsynth.SamplePool(gen, 4_000, refresh="never") as pool:
            pool.fill()
            blended = augsynth.SyntheticDataset(real, pool, ratio=0.5, seed=0)
            loader = DataLoader(
                blended, BATCH, num_workers=workers, persistent_workers=workers > 0, collate_fn=augsynth.collate
            )
            seen, due, looks = 0, LOOK, []
            while seen < options.samples:
                blended.set_epoch(seen // len(blended))
                for x, _ in loader:
                    seen += len(x)
                    if seen >= due:
                        looks.append(resident())
                        due += LOOK
        settled = looks[1:]  # by then everything was allocated once
        figures[f"{workers} workers"] = {
            "samples": seen,
            "MiB after the second look": round(settled[0], 1),
            "MiB at the end": round(settled[-1], 1),
            "largest over smallest": round(max(settled) / min(settled), 4),
        }
        print(figures, flush=True)
    record("memory", figures)


if __name__ == "__main__":
    main()
