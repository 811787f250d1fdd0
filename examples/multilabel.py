"""Several labels at once: a VAE conditioned on multi-hot vectors, its samples among the real ones.

Two digits stand side by side in an image, and its labels are both of them. Each is rare in combination, so a blend asks
for sets of labels, and levels how often each label occurs.
"""

from __future__ import annotations

import warnings

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import augsynth


def pairs(first: int, n: int, seed: int) -> TensorDataset:
    """n images (1, 8, 16) of two digits each, and multi-hot labels (10,), from a part of scikit-learn's digits."""
    data = load_digits()
    images = torch.tensor(data.images[first : first + 500] / 16, dtype=torch.float32)
    classes = torch.tensor(data.target[first : first + 500])
    left, right = torch.randint(500, (2, n), generator=torch.Generator().manual_seed(seed))
    x = torch.cat([images[left], images[right]], dim=2)[:, None]
    y = torch.zeros(n, 10).scatter_(1, torch.stack([classes[left], classes[right]], dim=1), 1.0)
    return TensorDataset(x, y)


def trained(dataset, seed: int, steps: int = 300) -> nn.Module:
    """A small network with a sigmoid for each label."""
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 4 * 8, 64), nn.ReLU(),
        nn.Linear(64, 10),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    step = epoch = 0
    while step < steps:
        if hasattr(dataset, "set_epoch"):
            dataset.set_epoch(epoch)
        epoch += 1
        for x, y in DataLoader(dataset, batch_size=32, shuffle=True):
            optimizer.zero_grad()
            nn.functional.binary_cross_entropy_with_logits(model(x), y).backward()
            optimizer.step()
            step += 1
    return model.eval()


def f1(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    with torch.no_grad():
        said = model(x) > 0
    return float(2 * (said * y).sum() / (said.sum() + y.sum()))


def main() -> None:
    warnings.simplefilter("ignore", augsynth.CollapseWarning)
    train, test = pairs(0, 150, seed=0), pairs(1000, 500, seed=1)
    gen = augsynth.fit("vae", train, steps=400, width=16)
    print("asked for 3 and 7:", gen.sample(labels={3, 7}, seed=0).meta[0]["condition"])
    blended = augsynth.SyntheticDataset(train, gen, ratio=0.3, condition="balance", seed=0)
    moved = augsynth.SyntheticDataset(train, gen, ratio=0.3, mode="vary", seed=0)
    for name, dataset in {"real": train, "real + samples": blended, "real + variations": moved}.items():
        scores = torch.tensor([f1(trained(dataset, seed), *test.tensors) for seed in range(2)])
        print(f"{name:18} F1 {scores.mean():.3f} ± {scores.std():.3f} on {len(test)} test images, 2 seeds")


if __name__ == "__main__":
    main()
