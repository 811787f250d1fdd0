"""A small classifier, trained for a fixed number of steps."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses
from torch.utils.data import DataLoader

from augsynth._rng_guard import preserved_rng
from augsynth.sample_spec import SampleSpec
from augsynth.seeding import derive

_BATCH = 64


class SmallClassifier(nn.Module):
    """Two convolutions, each followed by pooling, and two linear layers: images of the dataset to logits."""

    def __init__(self, spec: SampleSpec, classes: int) -> None:
        super().__init__()
        self.spec = spec
        height, width = spec.height // 4, spec.width // 4
        self.body = nn.Sequential(
            nn.Conv2d(spec.channels, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(64 * height * width, 128), nn.ReLU(), nn.Linear(128, classes),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.body(self.spec.raw_to_model(x))
        return logits


def train_classifier(
    dataset: Any, spec: SampleSpec, classes: int, test: tuple[Tensor, Tensor], *, steps: int, seed: int, device: str
) -> tuple[SmallClassifier, list[tuple[int, float]]]:
    """Train on (image, label) samples, and measure the accuracy on the way.

    Args:
        dataset: map-style, with tensors of ``spec`` and int labels; ``set_epoch`` is called if it has it.
        test: images (n, C, H, W) and labels (n,) to measure on; nothing is chosen by them.
        steps: number of updates, of 64 samples each.
        seed: of the initial weights and the order of the samples.

    Returns:
        the classifier and ``(step, accuracy)`` pairs, the last of them after the last step.
    """
    with preserved_rng(cuda=True):
        torch.manual_seed(int(derive(seed, 1)))
        model = SmallClassifier(spec, classes).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    order = torch.Generator().manual_seed(int(derive(seed, 2)))
    loader = DataLoader(dataset, batch_size=min(_BATCH, len(dataset)), shuffle=True, drop_last=True, generator=order)
    curve: list[tuple[int, float]] = []
    step, epoch, every = 0, 0, max(1, steps // 20)
    while step < steps:
        if hasattr(dataset, "set_epoch"):
            dataset.set_epoch(epoch)
        epoch += 1
        for x, y in loader:
            optimizer.zero_grad()
            F.cross_entropy(model(x.to(device)), y.to(device)).backward()
            optimizer.step()
            schedule.step()
            step += 1
            if step % every == 0 or step == steps:
                curve.append((step, float((predict(model, test[0]) == test[1]).float().mean())))
            if step == steps:
                break
    return model, curve


def predict(model: SmallClassifier, x: Tensor) -> Tensor:
    """(n,) predicted classes of (n, C, H, W)."""
    device = next(model.parameters()).device
    with torch.no_grad():
        return torch.cat([model(part.to(device)).argmax(1).cpu() for part in x.split(1024)])
