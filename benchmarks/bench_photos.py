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
from torch import nn
from torch.nn import functional as F  # noqa: N812 - as in torch's documentation
from torch.utils.data import DataLoader, Dataset

import augsynth
from augsynth.datasets.named import open_dataset

torchvision = augsynth.import_torchvision()
v2 = augsynth.import_torchvision("torchvision.transforms.v2")
WIDTH = 16


class Block(nn.Module):
    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(),
            nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out),
        )  # fmt: skip
        same = stride == 1 and channels == out
        self.short = nn.Identity() if same else nn.Sequential(nn.Conv2d(channels, out, 1, stride), nn.BatchNorm2d(out))

    def forward(self, x):
        return F.relu(self.body(x) + self.short(x))


def resnet(classes: int) -> nn.Module:
    """ResNet-18 (He et al. 2016) with fewer channels."""
    layers: list[nn.Module] = [nn.Conv2d(3, WIDTH, 7, 2, 3), nn.BatchNorm2d(WIDTH), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    channels = WIDTH
    for level, out in enumerate((WIDTH, 2 * WIDTH, 4 * WIDTH, 8 * WIDTH)):
        layers += [Block(channels, out, 1 + (level > 0)), Block(out, out, 1)]
        channels = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


class Arm(Dataset):
    """A dataset, and how it is trained on."""

    def __init__(self, dataset, *, mix: bool = False, prior: torch.Tensor | None = None) -> None:
        self.dataset, self.mix, self.prior = dataset, mix, prior

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int):
        return self.dataset[index]

    def __getitems__(self, indices):
        own = getattr(self.dataset, "__getitems__", None)
        return own(indices) if own else [self.dataset[i] for i in indices]

    def set_epoch(self, epoch: int) -> None:
        if hasattr(self.dataset, "set_epoch"):
            self.dataset.set_epoch(epoch)


def normal(x: torch.Tensor) -> torch.Tensor:
    return x.float().div(127.5).sub(1).contiguous(memory_format=torch.channels_last)


def train(dataset, *, steps, batch_size, seed, device):
    classes = 3
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = resnet(classes).to(memory_format=torch.channels_last)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4, nesterov=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.05, total_steps=steps)
        mixes = v2.RandomChoice([v2.MixUp(num_classes=classes, alpha=0.2), v2.CutMix(num_classes=classes)])
        order = torch.Generator().manual_seed(seed)
        loader = DataLoader(dataset, batch_size=32, shuffle=True, drop_last=True, generator=order)
        step, epoch = 0, 0
        while step < steps:
            if hasattr(dataset, "set_epoch"):
                dataset.set_epoch(epoch)
            epoch += 1
            for x, y in loader:
                x, target = normal(x), y
                if getattr(dataset, "mix", False):
                    x, target = mixes(x, y)
                logits = model(x)
                if getattr(dataset, "prior", None) is not None:
                    logits = logits + dataset.prior.log()
                optimizer.zero_grad()
                F.cross_entropy(logits, target).backward()
                optimizer.step()
                schedule.step()
                step += 1
                if step == steps:
                    break
    model.eval()

    def predict(inputs):
        x = torch.stack(list(inputs))
        with torch.no_grad():
            return torch.cat([model(normal(part)) for part in x.split(128)])

    return predict


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
        "balanced": lambda seed: Arm(base),
        "balanced + classic": lambda seed: Arm(blend(base, seed, classic)),
        "balanced + classic + mixes": lambda seed: Arm(blend(base, seed, classic), mix=True),
        "logit adjustment + classic": lambda seed: Arm(blend(real, seed, classic), prior=prior),
        "balanced + classic + variations": lambda seed: Arm(blend(base, seed, classic, 0.5)),
    }
    with tempfile.TemporaryDirectory() as temporary:
        result = augsynth.uplift(
            real, test, arms, baseline="balanced + classic", seeds=options.seeds, steps=options.steps,
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
