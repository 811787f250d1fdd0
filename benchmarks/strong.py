"""A strong classifier of images and the strong baselines that samples have to beat: a ResNet-18, MixUp and CutMix,
logit adjustment, all at equal steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as in torch's documentation
from torch.utils.data import DataLoader, Dataset

import augsynth

WIDTH, LARGE = 16, 96  # pixels from which on the stem shrinks images by four, not by two


class Block(nn.Module):
    """Two convolutions and a way around them: (n, channels, H, W) → (n, out, H / stride, W / stride)."""

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(),
            nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out),
        )  # fmt: skip
        same = stride == 1 and channels == out
        self.short = nn.Identity() if same else nn.Sequential(nn.Conv2d(channels, out, 1, stride), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.body(x) + self.short(x))


def resnet(shape: tuple[int, int, int], classes: int) -> nn.Module:
    """ResNet-18 (He et al. 2016) with a quarter of its channels, for images (C, H, W)."""
    colours, height, width = shape
    layers: list[nn.Module] = [nn.Conv2d(colours, WIDTH, 7, 2, 3), nn.BatchNorm2d(WIDTH), nn.ReLU()]
    if min(height, width) >= LARGE:
        layers.append(nn.MaxPool2d(3, 2, 1))
    else:
        layers[0] = nn.Conv2d(colours, WIDTH, 3, 2, 1)
    channels = WIDTH
    for level, out in enumerate((WIDTH, 2 * WIDTH, 4 * WIDTH, 8 * WIDTH)):
        layers += [Block(channels, out, 1 + (level > 0)), Block(out, out, 1)]
        channels = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


class Arm(Dataset[Any]):
    """A dataset, and how it is trained on.

    Args:
        dataset: of tensors (C, H, W) uint8 and classes.
        classes: how many.
        mix: MixUp (Zhang et al. 2018) or CutMix (Yun et al. 2019) for each batch, as in torchvision's recipes.
        prior: (classes,) shares of the classes, for logit adjustment (Menon et al. 2021).
    """

    def __init__(self, dataset: Any, classes: int, *, mix: bool = False, prior: Tensor | None = None) -> None:
        self.dataset, self.classes, self.mix, self.prior = dataset, classes, mix, prior

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[index]

    def __getitems__(self, indices: list[int]) -> list[Any]:
        own = getattr(self.dataset, "__getitems__", None)
        made: list[Any] = own(indices) if own else [self.dataset[i] for i in indices]
        return made

    def set_epoch(self, epoch: int) -> None:
        if hasattr(self.dataset, "set_epoch"):
            self.dataset.set_epoch(epoch)


def normal(x: Tensor) -> Tensor:
    """(n, C, H, W) uint8 → the same in [-1, 1]."""
    return x.float().div(127.5).sub(1).contiguous(memory_format=torch.channels_last)


def on(device: str) -> Callable[..., Any]:
    """:func:`train` on a device of its own: processes that :func:`augsynth.uplift` forks may share a GPU."""
    if device == "cpu":
        return train

    def train_there(dataset: Arm, **options: Any) -> Any:
        return train(dataset, **{**options, "device": device})

    return train_there


def train(dataset: Arm, *, steps: int, batch_size: int, seed: int, device: str) -> Callable[[list[Any]], Tensor]:
    """For :func:`augsynth.uplift`: SGD with a one-cycle schedule (Smith & Topin 2018); returns inputs → logits."""
    v2 = augsynth.import_torchvision("torchvision.transforms.v2")
    mixes = v2.RandomChoice([v2.MixUp(num_classes=dataset.classes, alpha=0.2), v2.CutMix(num_classes=dataset.classes)])
    with torch.random.fork_rng(devices=[]):  # in a process of its own on a GPU
        torch.manual_seed(seed)
        shape = dataset[0][0].shape
        model = resnet(tuple(shape), dataset.classes).to(device, memory_format=torch.channels_last)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4, nesterov=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.05, total_steps=steps)
        order = torch.Generator().manual_seed(seed)
        loader = DataLoader(dataset, batch_size=batch_size, shuffle=True, drop_last=True, generator=order)
        step, epoch = 0, 0
        while step < steps:
            dataset.set_epoch(epoch)
            epoch += 1
            for x, y in loader:
                y = y.to(device)
                x, target = normal(x.to(device)), y
                if dataset.mix:
                    x, target = mixes(x, y)
                logits = model(x)
                if dataset.prior is not None:
                    logits = logits + dataset.prior.log().to(device)
                optimizer.zero_grad()
                F.cross_entropy(logits, target).backward()
                optimizer.step()
                schedule.step()
                step += 1
                if step == steps:
                    break
    model.eval()

    def predict(inputs: list[Any]) -> Tensor:
        x = torch.stack(list(inputs))
        with torch.no_grad():
            return torch.cat([model(normal(part.to(device))).cpu() for part in x.split(128)])

    return predict
