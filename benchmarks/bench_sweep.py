"""Throughput of a blended loader against ratio, number of workers and batch size; a plot of it.

28×28 images; the samples made by the workers themselves, and read from a pool that is made anew in every epoch.
"""

from __future__ import annotations

import statistics
import time
import warnings

import torch
from common import RESULTS, record
from torch.utils.data import DataLoader, TensorDataset

import augsynth

N = 20_000
RATIOS, WORKERS, BATCHES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0), (0, 1, 2), (32, 128, 512)


def throughput(blended, workers: int, batch: int, repeats: int = 2) -> float:
    loader = DataLoader(blended, batch_size=batch, num_workers=workers, persistent_workers=workers > 0)
    seconds = []
    for epoch in range(repeats + 1):
        blended.set_epoch(epoch)
        began = time.perf_counter()
        for _ in loader:
            pass
        seconds.append(time.perf_counter() - began)
    return N / statistics.median(seconds[1:])  # the first starts the workers


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    real = TensorDataset(torch.rand(N, 1, 28, 28, generator=generator), torch.arange(N) % 10)
    gen = augsynth.fit("vae", TensorDataset(*real[:500]), steps=20, progress=False, device="cpu")

    def measured(ratio: float, workers: int, batch: int) -> dict[str, float]:
        direct = throughput(augsynth.SyntheticDataset(real, gen, ratio=ratio, seed=0), workers, batch)
        with augsynth.SamplePool(gen, max(10, int(N * ratio))) as pool:
            pooled = throughput(augsynth.SyntheticDataset(real, pool, ratio=ratio, seed=0), workers, batch)
        return {"made by the workers": direct, "pool": pooled}

    figures = {
        "ratio": {str(ratio): measured(ratio, 2, 256) for ratio in RATIOS},
        "workers": {str(workers): measured(0.5, workers, 256) for workers in WORKERS},
        "batch size": {str(batch): measured(0.5, 2, batch) for batch in BATCHES},
    }
    record("sweep", figures)
    draw(figures)


def draw(figures: dict) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(11, 3.4))
    others = {
        "ratio": "2 workers, batches of 256",
        "workers": "ratio 0.5, batches of 256",
        "batch size": "ratio 0.5, 2 workers",
    }
    for axis, (name, rows) in zip(axes, figures.items(), strict=True):
        for how, marker in (("made by the workers", "o"), ("pool", "s")):
            axis.plot(range(len(rows)), [row[how] / 1e3 for row in rows.values()], marker=marker, label=how)
        axis.set_xticks(range(len(rows)), list(rows))
        axis.set_xlabel(name)
        axis.set_title(others[name], fontsize=9)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("thousand samples a second")
    axes[0].legend()
    figure.tight_layout()
    figure.savefig(RESULTS / "sweep.png", dpi=120)


if __name__ == "__main__":
    main()
