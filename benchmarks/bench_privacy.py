"""What does a classifier learn from differentially private samples alone?

A generator (`merf`, or `vae` by DP-SGD) is fitted with a privacy budget, and a small network is trained on its
samples, without one real image. Beside it: the same network trained on samples of a fit without privacy, on the real
images, and a network trained on the real images with DP-SGD (Opacus) under the same budget, which gives a classifier
and no samples. The settings were chosen on images of the training file that were held out there; the test file is
scored once a run.

    python benchmarks/bench_privacy.py --data digits --rates 0.25 0.5 1 2 4
    python benchmarks/bench_privacy.py --data fashion-mnist --epochs 4
    python benchmarks/bench_privacy.py --data digits --arms vae --name privacy-digits-vae
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Sequence
from typing import Any

import torch
from common import record
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses
from torch.utils.data import DataLoader, TensorDataset

import augsynth
from augsynth.datasets.named import open_dataset
from augsynth.fitting.training_data import TrainingData

DELTA = 1e-5


def arrays(name: str, split: str) -> tuple[Tensor, Tensor, int]:
    """Images (n, C, H, W) in [0, 1], classes (n,), and how many classes there are."""
    data = TrainingData.read(open_dataset(name, split=split), show=False)
    if data.classes is None:
        raise SystemExit(f"{name} has no classes")
    return (data.model_x() + 1) / 2, data.classes, data.spec.num_classes


def network(shape: Sequence[int], classes: int, act: type[nn.Module]) -> nn.Sequential:
    """Two convolutions and two layers."""
    channels, height = shape[:2]
    return nn.Sequential(
        nn.Conv2d(channels, 16, 5, padding=2, stride=1 if height < 16 else 2),
        act(),
        nn.Conv2d(16, 32, 3, padding=1, stride=2),
        act(),
        nn.Flatten(),
        nn.LazyLinear(64),
        act(),
        nn.Linear(64, classes),
    )


def accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    model.eval()
    with torch.no_grad():
        return float((torch.cat([model(part) for part in x.split(1000)]).argmax(1) == y).float().mean())


def trained(x: Tensor, y: Tensor, classes: int, seed: int) -> nn.Module:
    """Trained for 1,500 steps of 64, with Adam."""
    torch.manual_seed(seed)
    model = network(x.shape[1:], classes, nn.ReLU)
    model(x[:2])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(1500):
        rows = torch.randint(len(x), (64,))
        optimizer.zero_grad()
        F.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
    return model


def trained_privately(
    x: Tensor, y: Tensor, classes: int, epsilon: float, epochs: int, rate: float, seed: int
) -> nn.Module:
    """Trained by DP-SGD; tanh, clipping at 0.1 and high rates as Tramèr & Boneh (2021)."""
    from opacus import PrivacyEngine

    torch.manual_seed(seed)
    model = network(x.shape[1:], classes, nn.Tanh)
    model(x[:2])
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)
    loader = DataLoader(TensorDataset(x, y), batch_size=min(2048, len(x) // 4))
    model, optimizer, loader = PrivacyEngine(accountant="prv").make_private_with_epsilon(
        module=model,
        optimizer=optimizer,
        data_loader=loader,
        target_epsilon=epsilon,
        target_delta=DELTA,
        epochs=epochs,
        max_grad_norm=0.1,
    )
    for _ in range(epochs):
        for some, wanted in loader:
            optimizer.zero_grad()
            F.cross_entropy(model(some), wanted).backward()
            optimizer.step()
    return model


def best_rate(x: Tensor, y: Tensor, classes: int, epsilon: float, epochs: int, rates: Sequence[float]) -> float:
    """The rate that does best on a fifth of the real images, held out: a choice that no budget pays for here."""
    if len(rates) == 1:
        return rates[0]
    cut = len(x) * 4 // 5

    def score(rate: float) -> float:
        model = trained_privately(x[:cut], y[:cut], classes, epsilon, epochs, rate, 0)
        return accuracy(model, x[cut:], y[cut:])

    return max(rates, key=score)


ARMS = ["real", "merf", "vae", "dp-sgd"]


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="digits")
    parser.add_argument("--epsilons", type=float, nargs="*", default=[1.0, 10.0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=30, help="of DP-SGD")
    parser.add_argument("--rates", type=float, nargs="*", default=[4.0], help="of DP-SGD, to choose from")
    parser.add_argument("--steps", type=int, help="of merf, in place of its preset")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=ARMS)
    parser.add_argument("--name")
    options = parser.parse_args()
    x, y, classes = arrays(options.data, "train")
    test_x, test_y, _ = arrays(options.data, "test")
    rates = {e: best_rate(x, y, classes, e, options.epochs, options.rates) for e in options.epsilons}
    found: dict[str, list[float]] = {}
    seconds: dict[str, list[float]] = {}

    def scored(arm: str, model: nn.Module) -> None:
        found.setdefault(arm, []).append(accuracy(model, test_x, test_y))
        print(f"{arm}: {found[arm][-1]:.3f}", flush=True)

    for seed in range(options.seeds):
        if "real" in options.arms:
            scored("real images, no privacy", trained(x, y, classes, seed))
        for epsilon in (None, *options.epsilons):
            told = "no privacy" if epsilon is None else f"epsilon {epsilon:g}"
            for name in [one for one in ("merf", "vae") if one in options.arms]:
                if epsilon is None and name == "vae":
                    continue  # another network, and another loss, than with privacy: no measure of what it costs
                given: dict[str, Any] = {"steps": options.steps} if name == "merf" else {}
                if epsilon is not None:
                    given["privacy"] = augsynth.Privacy(epsilon, DELTA)
                started = time.perf_counter()
                gen = augsynth.fit(name, TensorDataset(x, y), seed=seed, progress=False, **given)
                seconds.setdefault(f"{name}, {told}", []).append(time.perf_counter() - started)
                batch = gen.sample(labels=[i % classes for i in range(options.samples)], seed=seed)
                scored(f"samples of {name}, {told}", trained(batch.x, torch.as_tensor(batch.y), classes, seed))
            if epsilon is not None and "dp-sgd" in options.arms:
                started = time.perf_counter()
                model = trained_privately(x, y, classes, epsilon, options.epochs, rates[epsilon], seed)
                seconds.setdefault(f"DP-SGD, {told}", []).append(time.perf_counter() - started)
                scored(f"DP-SGD on the real images, {told}", model)
    figures: dict[str, Any] = {
        "images": len(x),
        "test images": len(test_x),
        "seeds": options.seeds,
        "delta": DELTA,
        "accuracy": {
            arm: {"mean": statistics.mean(values), "std": statistics.stdev(values) if len(values) > 1 else 0.0}
            for arm, values in found.items()
        },
        "seconds of a fit": {arm: statistics.mean(values) for arm, values in seconds.items()},
        "DP-SGD epochs": options.epochs,
        "DP-SGD rates": rates,
    }
    record(options.name or f"privacy-{options.data}", figures)


if __name__ == "__main__":
    main()
