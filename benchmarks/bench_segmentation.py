"""Image and mask generated together: what a small U-Net gains, on Fashion-MNIST with the garment as mask.

40 images of each of three garments are trained on; each seed draws others and fits another VAE. The score is the
intersection over union of the garment on 1,000 test images, at equal steps. Noise is added to the images, so that the
mask is not merely what is bright.
"""

from __future__ import annotations

import argparse
import warnings

import torch
from common import record
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, TensorDataset

import augsynth
from augsynth.datasets.named import open_dataset

CLASSES = (2, 5, 8)  # pullover, sandal, bag


def segmented(data, rows, seed):
    """Images (1, 28, 28) with noise in [0, 1], and masks (28, 28) of the garment."""
    x = data.inputs[rows].float() / 255
    mask = (x[:, 0] > 0.08).long()
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))
    return TensorDataset((0.55 * x + 0.25 + 0.15 * noise).clamp(0, 1), mask)


class UNet(nn.Module):
    """Two levels, 16 and 32 channels."""

    def __init__(self):
        super().__init__()

        def block(a, b):
            return nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.Conv2d(b, b, 3, padding=1), nn.ReLU())

        self.down, self.low, self.up = block(1, 16), block(16, 32), block(48, 16)
        self.head = nn.Conv2d(16, 1, 1)

    def forward(self, x):
        a = self.down(x)
        b = F.interpolate(self.low(F.max_pool2d(a, 2)), scale_factor=2.0)
        return self.head(self.up(torch.cat([a, b], dim=1)))[:, 0]


def trained(dataset, seed, steps):
    torch.manual_seed(seed)
    model = UNet()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    step = epoch = 0
    while step < steps:
        if hasattr(dataset, "set_epoch"):
            dataset.set_epoch(epoch)
        epoch += 1
        for x, mask in DataLoader(dataset, batch_size=16, shuffle=True, drop_last=True):
            optimizer.zero_grad()
            F.binary_cross_entropy_with_logits(model(x), mask.float()).backward()
            optimizer.step()
            schedule.step()
            step += 1
            if step == steps:
                break
    return model.eval()


def iou(model, x, mask):
    with torch.no_grad():
        said = torch.cat([model(part) > 0 for part in x.split(200)])
    return float((said & (mask == 1)).sum() / (said | (mask == 1)).sum())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--per-class", type=int, default=8)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    full, test = open_dataset("fashion-mnist"), open_dataset("fashion-mnist", split="test")
    targets, held = torch.tensor(full.targets), torch.tensor(test.targets)
    rows = torch.cat([(held == c).nonzero().flatten()[:334] for c in CLASSES])[:1000]
    x, mask = segmented(test, rows, 1).tensors
    v2 = augsynth.import_torchvision("torchvision.transforms.v2")
    classic = v2.Compose([v2.RandomHorizontalFlip(), v2.RandomAffine(10, translate=(0.1, 0.1), scale=(0.9, 1.1))])
    scores: dict[str, list[float]] = {}
    for seed in range(options.seeds):
        order = torch.randperm(len(full), generator=torch.Generator().manual_seed(seed))
        chosen = torch.cat([order[targets[order] == c][: options.per_class] for c in CLASSES])
        real = segmented(full, chosen, 100 + seed)
        gen = augsynth.fit("vae", real, steps=600, seed=seed, progress=False, device="cpu")

        def blend(ratio, seed=seed, gen=gen, real=real, **more):
            return augsynth.SyntheticDataset(real, gen if ratio else None, ratio=ratio, seed=seed, **more)

        arms = {
            "real": real,
            "real + classic": blend(0.0, transform=classic),
            "real + samples": blend(0.3),
            "real + classic + samples": blend(0.3, transform=classic),
            "real + classic + variations": blend(0.3, transform=classic, mode="vary", strength=0.5),
        }
        for name, dataset in arms.items():
            scores.setdefault(name, []).append(100 * iou(trained(dataset, seed, options.steps), x, mask))
        print(seed, {name: round(own[-1], 2) for name, own in scores.items()}, flush=True)
    figures = {}
    base = torch.tensor(scores["real + classic"])
    for name, own in scores.items():
        each = torch.tensor(own)
        figures[name] = f"IoU {each.mean():.2f} ± {each.std():.2f}"
        if name != "real + classic":
            gain = each - base
            figures[f"{name}, over real + classic"] = f"{gain.mean():+.2f} ± {gain.std():.2f}"
    record("segmentation", figures)


if __name__ == "__main__":
    main()
