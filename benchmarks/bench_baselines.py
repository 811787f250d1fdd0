"""Do variations still help beside the strongest things that need no generator?

Few images of each class, or a long tail of them. A ResNet-18 of 16 channels (`strong.py`) is trained from scratch, for
the same number of steps in every arm, on classes drawn evenly: with classic augmentation (crop and flip); with
TrivialAugment (Müller & Hutter 2021) or RandAugment (Cubuk et al. 2020) after it; with MixUp or CutMix on top; with
logit adjustment (Menon et al. 2021) in place of even classes; and with half of each batch varied. Each seed draws
another training set, with other rare classes, and fits its generators on it. No setting is chosen on the test set.

    python benchmarks/bench_baselines.py --data fashion-mnist --most 500 --least 5
    python benchmarks/bench_baselines.py --data CIFAR-10-images --name cifar-10 --most 100 --least 100
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
from common import apart, drawn_evenly, record
from strong import Arm, on

import augsynth
from augsynth.datasets.named import open_dataset
from augsynth.utility.comparison import mean_interval
from augsynth.utility.trials import TrialStore
from augsynth.utility.uplift import arm_seed

v2 = augsynth.import_torchvision("torchvision.transforms.v2")
BASELINE = "classic"


def rows_of(targets: torch.Tensor, most: int, least: int, seed: int) -> tuple[torch.Tensor, list[int]]:
    """Rows of a training set whose classes fall from ``most`` to ``least``, and the classes in that order."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(targets), generator=generator)
    classes = int(targets.max()) + 1
    ranking = torch.randperm(classes, generator=generator).tolist()
    counts = [round(most * (least / most) ** (i / (classes - 1))) for i in range(classes)]
    return torch.cat([order[targets[order] == c][:n] for c, n in zip(ranking, counts, strict=True)]), ranking


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="fashion-mnist")
    parser.add_argument("--size", type=int, help="side of the images of a folder")
    parser.add_argument("--test", type=int, default=5000, help="test images that are scored on, at most")
    parser.add_argument("--most", type=int, default=500)
    parser.add_argument("--least", type=int, default=5)
    parser.add_argument("--generators", nargs="*", default=["vae", "vaegan"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--max-time", help="of each fit, in place of its preset")
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, help="finished trials, and the generators")
    parser.add_argument("--device", default="cpu", help="of fits, variations and classifiers")
    parser.add_argument("--name")
    options = parser.parse_args()
    full, test = (open_dataset(options.data, split=split, size=options.size) for split in ("train", "test"))
    kept = torch.randperm(len(test), generator=torch.Generator().manual_seed(0))[: options.test]
    test, targets, classes = test.subset(kept), torch.tensor(full.targets), len(full.classes)
    side = int(full[0][0].shape[-1])
    shift = [v2.RandomHorizontalFlip(), v2.RandomCrop(side, side // 8)]
    chains = {
        "classic": v2.Compose(shift),
        "classic + TrivialAugment": v2.Compose([*shift, v2.TrivialAugmentWide()]),
        "classic + RandAugment": v2.Compose([*shift, v2.RandAugment()]),
    }
    limit = {"max_time": options.max_time} if options.max_time else {}
    out = options.out or Path(tempfile.mkdtemp())
    draws: dict[int, dict[str, Any]] = {}
    rarest, fits = [], []
    chosen = [rows_of(targets, options.most, options.least, number) for number in range(options.seeds)]

    def fitted(name: str, number: int) -> None:
        real = full.subset(chosen[number][0])
        gen = augsynth.fit(name, real, seed=number, progress=False, device=options.device, **limit)
        gen.save(out / f"{name}-{number}")

    wanted = [(name, i) for i in range(options.seeds) for name in options.generators]
    if missing := [call for call in wanted if not (out / "{}-{}".format(*call)).exists()]:
        list(apart(fitted, missing, options.jobs))
    for number, (rows, ranking) in enumerate(chosen):
        real = full.subset(rows)
        own: dict[str, Any] = {"real": real, "even": drawn_evenly(real)}
        for name in options.generators:
            own[name] = augsynth.load(out / f"{name}-{number}")
            fits.append({"generator": name, "seed": number, **{k: own[name].fit_info[k] for k in ("seconds", "steps")}})
            print(fits[-1], flush=True)
        draws[arm_seed(0, number)] = own
        rarest.append(ranking[-3:])

    def arm(chain: str | None, generator: str | None = None, *, mix: bool = False, logits: bool = False) -> Any:
        def made(seed: int) -> Arm:
            own = draws[seed]
            prior = torch.bincount(torch.tensor(own["real"].targets)) / len(own["real"]) if logits else None
            blend = augsynth.SyntheticDataset(
                own["real" if logits else "even"], own[generator].to(options.device) if generator else None,
                ratio=0.5 if generator else 0.0, mode="vary" if generator else "replace",
                strength=options.strength, transform=chains[chain] if chain else None, seed=seed, progress=False,
            )  # fmt: skip
            return Arm(blend, classes, mix=mix, prior=prior)

        return made

    arms = {"evenly drawn": arm(None)} | {chain: arm(chain) for chain in chains}
    arms |= {
        "classic + MixUp, CutMix": arm("classic", mix=True),
        "classic, logit adjustment": arm("classic", logits=True),
    }
    for name in options.generators:
        arms[f"classic + variations of {name}"] = arm("classic", name)
        arms[f"classic + TrivialAugment + variations of {name}"] = arm("classic + TrivialAugment", name)
        arms[f"classic + MixUp, CutMix + variations of {name}"] = arm("classic", name, mix=True)
    first = next(iter(draws.values()))["real"]
    result = augsynth.uplift(
        first, test, arms, baseline=BASELINE, seeds=options.seeds, steps=options.steps, batch_size=64,
        train=on(options.device),
        metric="balanced_accuracy", jobs=options.jobs, stop_early=False, out=out / "trials",
    )  # fmt: skip
    figures: dict[str, Any] = result.to_json()
    figures.pop("curves", None)
    figures |= {"images": len(first), "test images": len(test), "fits": fits, "device": options.device}
    trials = TrialStore.read(out / "trials")
    recalls = {
        name: [statistics.mean(trials[name, i]["recalls"][c] for c in own) for i, own in enumerate(rarest)]
        for name in arms
    }
    figures["three rarest classes"] = {
        name: {
            "mean": statistics.mean(v),
            "std": statistics.stdev(v),
            "gain": mean_interval([b - a for a, b in zip(recalls[BASELINE], v, strict=True)]),
        }
        for name, v in recalls.items()
    }
    figures["against each without variations"] = {
        name: mean_interval([b - a for a, b in zip(result.arms[without].scores, result.arms[name].scores, strict=True)])
        for name in arms
        if (without := name.split(" + variations")[0]) != name
    }
    record(options.name or f"baselines-{Path(options.data).name}-{options.most}-{options.least}", figures)


if __name__ == "__main__":
    main()
