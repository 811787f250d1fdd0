"""A training step with ``DeviceBlend`` at ratio 0.5 over the same step on real data alone, and over the naive wrapper.

On a GPU the step is that of a ResNet-18 at 32×32 in batches of 256, with the data on the host in two workers; on a CPU,
where no ResNet trains, that of a small convolutional network, and generating takes the time that it takes.
"""

from __future__ import annotations

import statistics
import warnings

import torch
from bench_loader import Naive
from common import in_turns, median_ratio, record
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import augsynth

BATCH, RATIO = 256, 0.5


def network(device: str, size: int) -> nn.Module:
    if device == "cuda":
        models = augsynth.import_torchvision("torchvision.models")
        net = models.resnet18(num_classes=10)
        net.conv1 = nn.Conv2d(1, 64, 3, padding=1, bias=False)  # as is usual at 32×32
        net.maxpool = nn.Identity()
        return net.to(device, memory_format=torch.channels_last)
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, 2, 1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, 2, 1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * (size // 4) ** 2, 10),
    )


def main() -> None:
    warnings.simplefilter("ignore")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    size, batches = (32, 60) if device == "cuda" else (28, 20)
    generator = torch.Generator().manual_seed(0)
    n = batches * BATCH
    real = TensorDataset(torch.rand(n, 1, size, size, generator=generator), torch.arange(n) % 10)
    gen = augsynth.fit("vae", TensorDataset(*real[:500]), steps=20, progress=False, device="cpu").to(device)
    net = network(device, size)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9)

    def training(loader, most=None):
        def run():
            for i, (x, y) in enumerate(loader):
                x, y = x.to(device, non_blocking=True), y.to(device, non_blocking=True)
                loss = nn.functional.cross_entropy(net(x), y)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                if most is not None and i + 1 == most:
                    break
            if device == "cuda":
                torch.cuda.synchronize()

        return run

    loader = DataLoader(
        real, batch_size=BATCH, shuffle=True, num_workers=2, persistent_workers=True, pin_memory=device == "cuda"
    )
    cases = {"real": training(loader), "blended": training(augsynth.DeviceBlend(loader, gen, RATIO, seed=0))}
    if device == "cuda":
        graphed = augsynth.DeviceBlend(loader, gen, RATIO, seed=0, cuda_graphs=True)
        cases["blended, CUDA graphs"] = training(graphed)
    times = in_turns(cases, repeats=5)
    few = 2
    naive = in_turns({"naive": training(DataLoader(Naive(real, gen), batch_size=BATCH), few)}, repeats=3)["naive"]
    blends = [name for name in cases if name != "real"]
    per_batch = {name: statistics.median(seconds) / batches for name, seconds in times.items()}
    record(
        "device",
        {
            "device": device,
            **{f"step, {name} over real": median_ratio(times[name], times["real"]) for name in blends},
            **{f"factor of {name} over naive": statistics.median(naive) / few / per_batch[name] for name in blends},
            "ms a step": {**{k: v * 1e3 for k, v in per_batch.items()}, "naive": statistics.median(naive) / few * 1e3},
        },
    )


if __name__ == "__main__":
    main()
