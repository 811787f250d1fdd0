"""What blending costs in a DataLoader: at ratio 0, and at ratio 0.5 against the bound that the generator sets.

The bound is 1 / ((1 - r) t_real + r t_gen): t_real per sample of the bare dataset in the same DataLoader, t_gen the
generator's time per sample by itself for as many samples as a batch requests. There are two of the latter: that of
the public ``sample``, and that of the bare ``draw`` (the networks alone: no labels looked up, no conversion to the
dataset's form, no provenance) in parts of the size that suits the machine best. Medians of runs in turns.

With two workers the bound is that of two processes of one thread: what the bare dataset takes in two workers, and what
``sample`` takes in two processes at once that do nothing else.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable

import torch
from common import apart, in_turns, median_ratio, record
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


def alone(gen, request: int, micro_batch: int | None):
    """The generator by itself: ``sample``, or ``draw`` in parts of ``micro_batch``."""
    labels, seeds = torch.arange(request) % 10, torch.arange(request)

    def sample():
        for i in range(10):
            gen.sample(labels=labels, seeds=seeds + i)

    def draw():
        with torch.no_grad():
            for i in range(10):
                for a in range(0, request, micro_batch):
                    part = slice(a, a + micro_batch)
                    gen.draw(labels[part], seeds[part] + i, temperature=1.0, truncation=None)

    return draw if micro_batch else sample


def beside(gen, request: int) -> Callable[[], float]:
    """Seconds a sample of ``sample`` in two processes at once, of one thread each."""

    def one(_: int) -> float:
        run = alone(gen, request, None)
        run()
        started = time.perf_counter()
        run()
        return time.perf_counter() - started

    return lambda: statistics.mean(apart(one, [(0,), (1,)], 2)) / (2 * 10 * request)


def in_workers(real, gen, repeats: int = 15) -> list:
    """Median share of the bound with two workers, and its quartiles."""
    blended = augsynth.SyntheticDataset(real, gen, ratio=RATIO, seed=0)
    bare, half, sample = read(real, 2), read(blended, 2), beside(gen, int(BATCH * RATIO))
    shares = []
    for turn in range(-1, repeats):
        seconds = in_turns({"bare": bare, "half": half}, repeats=1, warmup=0)
        bound = ((1 - RATIO) * seconds["bare"][0] / N + RATIO * sample()) * N
        if turn >= 0:
            shares.append(bound / seconds["half"][0])
    return [statistics.median(shares), statistics.quantiles(shares, n=4)[::2]]


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
        cases = {"bare": read(real, 0, part), "half": read(blended, 0, part), "sample": alone(gen, request, None)}
        cases |= {f"draw {size}": alone(gen, request, size) for size in (64, 128)}
        times = in_turns(cases, repeats=25)
        median = {case: statistics.median(seconds) for case, seconds in times.items()}
        best = min(("draw 64", "draw 128"), key=median.__getitem__)
        shares = {
            t_gen: [
                ((1 - RATIO) * bare / part + RATIO * drawn / (10 * request)) / (half / part)
                for bare, half, drawn in zip(times["bare"], times["half"], times[case], strict=True)
            ]
            for t_gen, case in (("sample", "sample"), ("draw", best))
        }
        reached = part / median["half"]
        few = 2 * BATCH
        naive = in_turns({"naive": read(Naive(real, gen), 0, few)}, repeats=3)["naive"]
        figures[f"ratio 0.5, {name}"] = {
            **{
                f"share of the bound by {t_gen}": [statistics.median(share), statistics.quantiles(share, n=4)[::2]]
                for t_gen, share in shares.items()
            },
            "factor over naive": reached / (few / statistics.median(naive)),
            "samples/s": reached,
            "t_real us": median["bare"] / part * 1e6,
            **{f"t_gen us, {case}": median[case] / (10 * request) * 1e6 for case in ("sample", "draw 64", "draw 128")},
        }
        figures[f"ratio 0.5, {name}"]["share of the bound in 2 workers"] = in_workers(real, gen)
    record("loader", figures)


if __name__ == "__main__":
    main()
