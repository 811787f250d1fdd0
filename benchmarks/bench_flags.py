"""How often `evaluate` calls noise unrealistic, and how often it accuses real data.

200 draws and more: four noises, real images mixed with noise (pixel by pixel, and sample by sample), and held-back real
images, each against a fresh draw of training and held-out images. Recorded in results/flags.json.
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter

import torch
from common import record

import augsynth
from augsynth.datasets.arrays import ArrayDataset
from augsynth.datasets.named import open_dataset

SIZES = {"digits": (300, 200), "fashion-mnist": (1000, 600)}  # training images, images of each set that are compared


def sources(data, generator):
    """Name → a dataset of made-up samples with the labels of ``data``, as many."""
    x, top = data.inputs.float(), 255.0
    n, c, h, w = x.shape
    uniform = torch.rand(x.shape, generator=generator) * top
    normal = x.mean() + x.std() * torch.randn(x.shape, generator=generator)
    permuted = torch.stack([one.flatten()[torch.randperm(c * h * w, generator=generator)].view(c, h, w) for one in x])
    few = torch.rand(n, 1, 1, 1, generator=generator) < 0.3
    made = {
        "uniform": uniform,
        "normal": normal,
        "permuted pixels": permuted,
        "grey": torch.rand(n, 1, 1, 1, generator=generator).expand_as(x) * top,
        "70 % real pixels + uniform": 0.7 * x + 0.3 * uniform,
        "70 % real pixels + normal": 0.7 * x + 0.3 * normal,
        "70 % real samples, uniform": torch.where(few, uniform, x),
        "70 % real samples, normal": torch.where(few, normal, x),
        "70 % real samples, permuted": torch.where(few, permuted, x),
        "real": x,
    }
    for name, images in made.items():
        yield name, ArrayDataset(images.clamp(0, top).round().to(torch.uint8), data.targets, data.classes)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=10)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    counted = {}
    for which, (training, n) in SIZES.items():
        full, test = open_dataset(which), open_dataset(which, split="test")
        for seed in range(options.draws):
            generator = torch.Generator().manual_seed(seed)
            order = torch.randperm(len(full), generator=generator)
            train, other = full.subset(order[:training]), full.subset(order[training : 4 * training])
            held = test.subset(torch.randperm(len(test), generator=generator)[: 2 * training])
            for name, source in sources(other, generator):
                found = augsynth.evaluate(
                    source, train, held, n=n, seed=seed, overlap="drop", judge_steps=300, progress=False
                )
                told = counted.setdefault(which, {}).setdefault(name, Counter())
                told["draws"] += 1
                for flag in found.flags:
                    told[flag] += 1
                print(which, seed, name, sorted(found.flags), flush=True)
    record("flags", {which: {name: dict(told) for name, told in own.items()} for which, own in counted.items()})


if __name__ == "__main__":
    main()
