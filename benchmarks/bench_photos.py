"""Do variations help with photographs? Potato leaves (PlantVillage) at 128 pixels, a class rare by nature.

A ResNet-18 of 16 channels is trained from scratch, for the same number of steps in every arm, on classes drawn evenly:
with classic augmentation (flips, crops and TrivialAugment), with MixUp and CutMix on top, with logit adjustment (Menon
et al. 2021) in place of even classes, and with half of each batch varied by a generator. Photographs that are in both
splits are dropped from the training set first. Nothing is chosen on the test set.

    python benchmarks/bench_photos.py --data ../shared/data/potato_leaves
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from pathlib import Path

import torch
from common import apart, drawn_evenly, record
from strong import Arm, on

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
    parser.add_argument("--generators", nargs="+", default=["vae"])
    parser.add_argument("--max-time", default=None)
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument(
        "--variations", type=int, help="of each photograph, made once; a new one each time unless given"
    )
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--baselines", nargs="*", help="beside 'balanced + classic'; all of them unless given")
    parser.add_argument("--device", default="cpu", help="of fits, variations and classifiers")
    parser.add_argument("--name")
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
    limit = {"max_time": options.max_time} if options.max_time else {}
    folder = options.out or Path(tempfile.mkdtemp())

    def fit(name: str) -> None:
        gen = augsynth.fit(name, real, seed=0, device=options.device, progress=False, **limit)
        gen.save(folder / name)

    missing = [(name,) for name in options.generators if not (folder / name).exists()]
    if missing:
        list(apart(fit, missing, options.jobs))
    gens = {name: augsynth.load(folder / name) for name in options.generators}
    fits = {name: {k: gen.fit_info[k] for k in ("seconds", "steps")} for name, gen in gens.items()}
    print(fits, flush=True)
    classic = v2.Compose(
        [v2.RandomHorizontalFlip(), v2.RandomVerticalFlip(), v2.RandomCrop(options.size, options.size // 8),
         v2.TrivialAugmentWide()]
    )  # fmt: skip
    base, prior = drawn_evenly(real), torch.bincount(torch.tensor(real.targets)) / len(real)

    def blend(data, seed, name=None):
        made = gens[name].to(options.device) if name else None
        return augsynth.SyntheticDataset(
            data, made, ratio=0.5 if name else 0.0, mode="vary" if name else "replace", strength=options.strength,
            variations=options.variations if name else None, transform=classic, seed=seed, progress=False,
        )  # fmt: skip

    arms = {
        "balanced": lambda seed: Arm(base, 3),
        "balanced + classic": lambda seed: Arm(blend(base, seed), 3),
        "balanced + classic + mixes": lambda seed: Arm(blend(base, seed), 3, mix=True),
        "logit adjustment + classic": lambda seed: Arm(blend(real, seed), 3, prior=prior),
    }
    if options.baselines is not None:
        arms = {name: arms[name] for name in ("balanced + classic", *options.baselines)}
    for name in gens:
        arms[f"balanced + classic + variations of {name}"] = lambda seed, name=name: Arm(blend(base, seed, name), 3)
    result = augsynth.uplift(
        real, test, arms, baseline="balanced + classic", seeds=options.seeds, steps=options.steps, batch_size=32,
        metric="balanced_accuracy", train=on(options.device), jobs=options.jobs,
        stop_early=False, out=folder / "trials",
    )  # fmt: skip
    print(result, flush=True)
    figures = result.to_json()
    figures.pop("curves")
    figures |= {"fits": fits, "found": found.counts, "size": options.size, "device": options.device}
    figures["training samples"] = dict(
        zip(real.classes, torch.bincount(torch.tensor(real.targets)).tolist(), strict=True)
    )
    record(options.name or f"photos-{'-'.join(options.generators)}", figures)


if __name__ == "__main__":
    main()
