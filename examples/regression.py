"""Numbers as targets: a VAE conditioned on their values, also on values that no sample has.

A digit is turned by an angle, and the angle is to be told from the image.
"""

from __future__ import annotations

import warnings

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, TensorDataset

import augsynth


def turned(first: int, n: int, seed: int) -> TensorDataset:
    """n images (1, 16, 16) of sevens, and the angles (n,) in degrees, from -60 to 60, that they are turned by."""
    data = load_digits()
    sevens = torch.tensor(data.images[data.target == 7] / 16, dtype=torch.float32)[first : first + 80, None]
    generator = torch.Generator().manual_seed(seed)
    x = F.interpolate(sevens[torch.randint(80, (n,), generator=generator)], size=16, mode="bilinear")
    angle = torch.rand(n, generator=generator) * 120 - 60
    c, s = torch.cos(angle.deg2rad()), torch.sin(angle.deg2rad())
    turn = torch.stack([torch.stack([c, -s, 0 * c], 1), torch.stack([s, c, 0 * c], 1)], 1)
    return TensorDataset(
        F.grid_sample(x, F.affine_grid(turn, list(x.shape), align_corners=False), align_corners=False), angle
    )


def trained(dataset, seed: int, steps: int = 300) -> nn.Module:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 1), nn.Flatten(0),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    step = epoch = 0
    while step < steps:
        if hasattr(dataset, "set_epoch"):
            dataset.set_epoch(epoch)
        epoch += 1
        for x, y in DataLoader(dataset, batch_size=32, shuffle=True):
            optimizer.zero_grad()
            F.mse_loss(model(x), y.float() / 30).backward()
            optimizer.step()
            step += 1
    return model.eval()


def error(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """Mean absolute error in degrees."""
    with torch.no_grad():
        return float((30 * model(x) - y).abs().mean())


def main() -> None:
    warnings.simplefilter("ignore", augsynth.CollapseWarning)
    train, test = turned(0, 80, seed=0), turned(90, 400, seed=1)
    gen = augsynth.fit("vae", train, steps=400, width=16)
    print("asked for 12.5 degrees:", gen.sample(labels=12.5, seed=0).y.item())
    blended = augsynth.SyntheticDataset(train, gen, ratio=0.3, condition="balance", seed=0)
    moved = augsynth.SyntheticDataset(train, gen, ratio=0.3, mode="vary", seed=0)
    for name, dataset in {"real": train, "real + samples": blended, "real + variations": moved}.items():
        errors = torch.tensor([error(trained(dataset, seed), *test.tensors) for seed in range(2)])
        print(f"{name:18} error {errors.mean():.2f} ± {errors.std():.2f} degrees on {len(test)} test images, 2 seeds")


if __name__ == "__main__":
    main()
