"""What blending costs in a DataLoader: at ratio 0, and at ratio 0.5 against the bound that the generator sets.

The bound is 1 / ((1 - r) t_real + r t_gen): t_real per sample of the bare dataset in the same DataLoader, t_gen the
generator's time per sample by itself at the batch size that is requested, noise included. Medians of runs in turns.
"""

from __future__ import annotations

import statistics
import warnings

import torch
from common import in_turns, median_ratio, record
from torch.utils.data import DataLoader, Dataset, TensorDataset

import augsynth

N, BATCH, RATIO = 20_000, 256, 0.5


class Naive(Dataset):
    """What one writes first: generate one sample in __getitem__."""

    def __init__(self, real, gen):
        self.real, self.gen = real, gen

    def __len__(self):
        return len(self.real)

    def __getitem__(self, index):
        if torch.rand(()) < RATIO:
            y = self.real[index][1]
            return self.gen.sample(1, labels=int(y)).x[0], y
        return self.real[index]


def read(dataset, workers, n=None):
    loader = DataLoader(dataset, batch_size=BATCH, num_workers=workers, persistent_workers=workers > 0)

    def run():
        seen = 0
        if hasattr(dataset, "set_epoch"):
            dataset.set_epoch((dataset.epoch + 1) % 1000)
        for x, _ in loader:
            seen += len(x)
            if n is not None and seen >= n:
                break

    return run


def draw(gen, size: int):
    """The bare generator, noise included, at the size of a request."""
    labels, seeds = torch.arange(size) % 10, torch.arange(size)

    def run():
        with torch.no_grad():
            for _ in range(10):
                gen.draw(labels, seeds, temperature=1.0, truncation=None)

    return run


def main() -> None:
    warnings.simplefilter("ignore")
    generator = torch.Generator().manual_seed(0)
    real = TensorDataset(torch.rand(N, 1, 28, 28, generator=generator), torch.arange(N) % 10)
    small = TensorDataset(*real[:500])
    figures: dict = {"n": N, "batch": BATCH}
    gens = {name: augsynth.fit(name, small, steps=20, progress=False, device="cpu") for name in ("vae", "gan")}
    for workers in (0, 2):
        zero = augsynth.SyntheticDataset(real, gens["vae"], ratio=0.0, seed=0)
        times = in_turns({"bare": read(real, workers), "zero": read(zero, workers)}, repeats=61 if workers == 0 else 41)
        figures[f"ratio 0, {workers} workers: time over the bare dataset"] = median_ratio(times["zero"], times["bare"])
    for name, gen in gens.items():
        blended = augsynth.SyntheticDataset(real, gen, ratio=RATIO, seed=0)
        part = 10 * BATCH
        # all in turns, as the speed of a shared machine drifts by more than what is measured
        request = int(BATCH * RATIO)
        cases = {"bare": read(real, 0, part), "half": read(blended, 0, part), "draw": draw(gen, request)}
        times = in_turns(cases, repeats=25)
        shares, t_real, t_gen = [], [], []
        for bare, half, drawn in zip(*times.values(), strict=True):
            t_real.append(bare / part)
            t_gen.append(drawn / (10 * request))
            shares.append(((1 - RATIO) * t_real[-1] + RATIO * t_gen[-1]) / (half / part))
        reached = part / statistics.median(times["half"])
        few = 2 * BATCH
        naive = in_turns({"naive": read(Naive(real, gen), 0, few)}, repeats=3)["naive"]
        figures[f"ratio 0.5, {name}"] = {
            "share of the bound": statistics.median(shares),
            "share of the bound, quartiles": statistics.quantiles(shares, n=4)[::2],
            "factor over naive": reached / (few / statistics.median(naive)),
            "samples/s": reached,
            "t_real us": statistics.median(t_real) * 1e6,
            "t_gen us": statistics.median(t_gen) * 1e6,
        }
    record("loader", figures)


if __name__ == "__main__":
    main()
