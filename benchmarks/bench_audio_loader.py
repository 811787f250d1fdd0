"""An audio blend with a pool against the loader that decodes the same WAV files, both in two workers and in none."""

from __future__ import annotations

import statistics
import time
import warnings

import torch
from bench_audio import DATA, FITTED, recordings
from common import record
from torch.utils.data import DataLoader

import augsynth

REPEATS = 7


def epoch(dataset, workers):
    loader = DataLoader(dataset, batch_size=64, shuffle=True, num_workers=workers, persistent_workers=workers > 0)
    next(iter(loader))  # workers are up
    started = time.perf_counter()
    n = sum(len(x) for x, _ in loader)
    return n / (time.perf_counter() - started)


def main():
    if not DATA.is_dir():
        raise SystemExit(f"{DATA} is not there: it holds the recordings")
    warnings.simplefilter("ignore")
    real = recordings(FITTED, range(50))
    gen = augsynth.fit("specvae", real, steps=20, progress=False, device="cpu")
    figures = {}
    with augsynth.SamplePool(gen, 500).fill() as pool:
        blended = augsynth.SyntheticDataset(real, pool, ratio=0.5, seed=0)
        for workers in (0, 2):
            ratios, rates = [], []
            for turn in range(REPEATS):
                alone = epoch(real, workers)
                blended.set_epoch(0)
                mixed = epoch(blended, workers)
                if turn:
                    ratios.append(mixed / alone)
                    rates.append(alone)
            figures[f"{workers} workers: recordings a second, real alone"] = round(statistics.median(rates))
            figures[f"{workers} workers: blend of ratio .5 from a pool over real alone"] = round(
                statistics.median(ratios), 3
            )
    record("audio-loader", figures)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
