"""What variations cost in a stock DataLoader: a new one each time, or four of each sample, made once.

Fashion-MNIST by a VAE (2,000 images, batches of 256) and, where they are there, potato leaves at 128 pixels by a flow
(225 photographs in memory, batches of 32), half of each batch varied, without workers. How good the generators are does
not matter here: they are fitted for a few steps. Every ratio is of neighbouring runs in turns.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import torch
from common import in_turns, median_ratio, record
from torch.utils.data import DataLoader, TensorDataset

import augsynth
from augsynth.datasets.named import open_dataset

EACH = 4


def measured(name: str, real: TensorDataset, batch: int, n: int, repeats: int) -> dict[str, float]:
    """Samples a second, and ratios to the bare loader, of ``n`` samples at a time."""
    gen = augsynth.fit(name, real, steps=8, seed=0, progress=False, device="cpu")

    def blend(variations: int | None) -> augsynth.SyntheticDataset:
        return augsynth.SyntheticDataset(
            real, gen, ratio=0.5, mode="vary", variations=variations, seed=0, progress=False
        )

    once = blend(EACH)
    began = time.perf_counter()
    once.make_ahead(progress=False)
    filling = time.perf_counter() - began
    epochs = iter(range(10**6))

    def read(dataset: torch.utils.data.Dataset) -> None:
        if hasattr(dataset, "set_epoch"):
            dataset.set_epoch(next(epochs))
        seen = 0
        while seen < n:
            for x, _ in DataLoader(dataset, batch_size=batch, shuffle=True):
                seen += len(x)
                if seen >= n:
                    break

    cases = {"bare": real, "new": blend(None), "once": once}
    seconds = in_turns({case: lambda dataset=dataset: read(dataset) for case, dataset in cases.items()}, repeats)
    return {
        "samples/s, bare loader": n / min(seconds["bare"]),
        "samples/s, a new variation each time": n / min(seconds["new"]),
        f"samples/s, {EACH} of each": n / min(seconds["once"]),
        f"{EACH} of each over new ones": median_ratio(seconds["new"], seconds["once"]),
        f"{EACH} of each over the bare loader": median_ratio(seconds["bare"], seconds["once"]),
        "seconds to make all": filling,
        "MiB": once._kept._slots.nbytes / 2**20,
    }


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--leaves", default="../shared/data/potato_leaves")
    options = parser.parse_args()
    fashion = open_dataset("fashion-mnist").subset(torch.arange(2000))
    images = torch.stack([fashion[i][0] for i in range(2000)]).float() / 255
    figures = {"28x28, vae": measured("vae", TensorDataset(images, torch.tensor(fashion.targets)), 256, 4096, 5)}
    if Path(options.leaves).is_dir():
        leaves = open_dataset(options.leaves, size=128).subset(torch.arange(225))
        photos = torch.stack([leaves[i][0] for i in range(225)])
        figures["128x128, flow"] = measured("flow", TensorDataset(photos, torch.tensor(leaves.targets)), 32, 256, 3)
    record("variations", figures)


if __name__ == "__main__":
    main()
