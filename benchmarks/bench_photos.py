"""Do variations help with photographs? Potato leaves (PlantVillage) at 128 pixels, a class rare by nature.

A ResNet-18 of 16 channels is trained from scratch, for the same number of steps in every arm, on classes drawn evenly:
with classic augmentation (flips, crops and TrivialAugment), with MixUp and CutMix on top, with logit adjustment (Menon
et al. 2021) in place of even classes, and with half of each batch varied by a VAE. Photographs that are in both splits
are dropped from the training set first. Nothing is chosen on the test set.

    python benchmarks/bench_photos.py --data ../shared/data/potato_leaves
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from pathlib import Path

import torch
from common import drawn_evenly, record
from strong import Arm, train

import augsynth
from augsynth.datasets.named import open_dataset

v2 = augsynth.import_torchvision("torchvision.transforms.v2")


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="../shared/data/potato_leaves")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--generator", default="vae")
    parser.add_argument("--max-time", default=None)
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if not Path(options.data).is_dir():
        print(f"{options.data} is not there: nothing is measured")
        return
    real = open_dataset(options.data, size=options.size)
    test = open_dataset(options.data, split="test", size=options.size)
    found = augsynth.prepare(real, test, look_for=["duplicates", "leaks"], progress=False)
    print(found, flush=True)
    real = real.subset(torch.tensor(found.kept()))
    started = time.perf_counter()
    limit = {"max_time": options.max_time} if options.max_time else {}
    gen = augsynth.fit(options.generator, real, seed=0, device="cpu", progress=False, **limit)
    fitted = time.perf_counter() - started
    print(f"fitted in {fitted:.0f} s, {gen.fit_info['steps']} steps", flush=True)
    classic = v2.Compose(
        [v2.RandomHorizontalFlip(), v2.RandomVerticalFlip(), v2.RandomCrop(options.size, options.size // 8),
         v2.TrivialAugmentWide()]
    )  # fmt: skip
    base, prior = drawn_evenly(real), torch.bincount(torch.tensor(real.targets)) / len(real)

    def blend(data, seed, transform, ratio=0.0):
        made = gen if ratio else None
        return augsynth.SyntheticDataset(
            data, made, ratio=ratio, mode="vary" if ratio else "replace", strength=options.strength,
            transform=transform, seed=seed, progress=False,
        )  # fmt: skip

    arms = {
        "balanced": lambda seed: Arm(base, 3),
        "balanced + classic": lambda seed: Arm(blend(base, seed, classic), 3),
        "balanced + classic + mixes": lambda seed: Arm(blend(base, seed, classic), 3, mix=True),
        "logit adjustment + classic": lambda seed: Arm(blend(real, seed, classic), 3, prior=prior),
        "balanced + classic + variations": lambda seed: Arm(blend(base, seed, classic, 0.5), 3),
    }
    with tempfile.TemporaryDirectory() as temporary:
        result = augsynth.uplift(
            real, test, arms, baseline="balanced + classic", seeds=options.seeds, steps=options.steps,
            batch_size=32,
            metric="balanced_accuracy", train=train, jobs=options.jobs, stop_early=False, out=options.out or temporary,
        )  # fmt: skip
    print(result, flush=True)
    figures = result.to_json()
    figures.pop("curves")
    figures |= {"seconds of the fit": fitted, "found": found.counts, "size": options.size}
    figures["training samples"] = dict(
        zip(real.classes, torch.bincount(torch.tensor(real.targets)).tolist(), strict=True)
    )
    record(f"photos-{options.generator}", figures)


if __name__ == "__main__":
    main()
