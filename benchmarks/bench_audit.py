"""Does the audit tell apart a generator that copies, one without privacy, and one with? Does its bound ever lie?

Digits, split at random into 900 that are fitted on and 897 others. Then canaries: 200 images of noise, each planted or
not by the toss of a coin, and sentences with random digits among questions. Then twenty private fits, each on another
split, whose lower bound must stay below the ε that they claim.

    python benchmarks/bench_audit.py

Fits by DP-SGD, alike, and what generators fitted on other data add to the attacks (calibration):

    python benchmarks/bench_audit.py --part dp-sgd
    python benchmarks/bench_audit.py --part references
"""

from __future__ import annotations

import argparse
import statistics
import warnings
from pathlib import Path
from typing import Any

import torch
from common import record
from sklearn.datasets import load_digits
from torch import Tensor
from torch.utils.data import TensorDataset

import augsynth
from augsynth.datasets.named import open_dataset


class Copier(augsynth.Generator):
    """Hands out the samples that it was fitted on, of the class that is asked for."""

    modality = "image"

    def build(self, spec: Any, *, n: int = 900) -> None:
        self.register_buffer("x", torch.zeros(n, *spec.shape))
        self.register_buffer("y", torch.zeros(n, dtype=torch.int64))

    def learn(self, data: Any) -> None:
        self.x = data.model_x()
        self.y = data.classes

    def draw(self, labels: Tensor | None, seeds: Tensor, *, temperature: float, truncation: float | None) -> Tensor:
        own = [(self.y == label).nonzero()[:, 0] for label in range(10)]
        pairs = zip([] if labels is None else labels.tolist(), seeds.tolist(), strict=True)
        return torch.stack([self.x[own[label][seed % len(own[label])]] for label, seed in pairs])


def split(seed: int, *sizes: int) -> list[TensorDataset]:
    """Digits, split at random into parts of these sizes, and the rest; 900 if there is nothing said."""
    digits = load_digits()
    order = torch.randperm(len(digits.images), generator=torch.Generator().manual_seed(seed))
    parts = order.split([*(sizes or [900]), len(order) - sum(sizes or [900])])
    x, y = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16, torch.tensor(digits.target)
    return [TensorDataset(x[part], y[part]) for part in parts]


def told(found: augsynth.Audit) -> dict[str, Any]:
    return {
        "epsilon at least": round(found.epsilon, 3),
        "claimed": found.claimed,
        **{
            name: {"AUC": round(one.auc, 3), "caught at 1 %": round(one.caught, 3), "exposure": round(one.exposure, 2)}
            for name, one in found.attacks.items()
        },
    }


def fitted(name: str, data: Any, *, epsilon: float | None = None, seed: int = 0, **settings: Any) -> Any:
    privacy = None if epsilon is None else augsynth.Privacy(epsilon, 1e-5)
    plugin: Any = Copier if name == "copier" else name
    return augsynth.fit(plugin, data, privacy=privacy, seed=seed, progress=False, **settings)


def claims(name: str, runs: int, **settings: Any) -> dict[str, Any]:
    """Private fits with ε = 1, each on another split: how often the bound lies above the claim."""
    bounds = []
    for run in range(runs):
        one, other = split(run)
        bounds.append(augsynth.audit(fitted(name, one, epsilon=1.0, seed=run, **settings), one, other).epsilon)
        print(run, bounds[-1], flush=True)
    return {
        "claimed": 1.0,
        "runs": len(bounds),
        "bounds above the claim": sum(bound > 1.0 for bound in bounds),
        "highest bound": max(bounds),
        "mean bound": statistics.mean(bounds),
    }


Arms = dict[str, tuple[str, dict[str, Any]]]  # name → generator, and how it is fitted


def attacked(arms: Arms) -> dict[str, Any]:
    """What of each arm's members, and of canaries planted among them, is told."""
    figures: dict[str, Any] = {"members": {}, "canaries of noise": {}}
    members, others = split(0)
    canaries = augsynth.plant_canaries(members, 200)
    for arm, (name, settings) in arms.items():
        figures["members"][arm] = told(augsynth.audit(fitted(name, members, **settings), members, others))
        more = {"n": len(canaries.dataset)} if name == "copier" else {}
        gen = fitted(name, canaries.dataset, **settings, **more)
        found = augsynth.audit(gen, canaries.planted, canaries.held_back, n=10_000)
        figures["canaries of noise"][arm] = told(found)
        print(arm, figures["members"][arm], figures["canaries of noise"][arm], flush=True)
    return figures


def dp_sgd(options: argparse.Namespace) -> None:
    """The autoencoder fitted by private gradient steps, 100 of 300 digits each; in the runs 50."""
    steps = {"steps": 100, "batch_size": 300}
    figures = attacked({f"vae, epsilon {one:g}": ("vae", {"epsilon": one, **steps}) for one in (10.0, 1.0)})
    figures["private fits"] = claims("vae", options.runs, **{**steps, "steps": 50})
    record("audit-dp-sgd", figures)


def with_references(options: argparse.Namespace) -> None:
    """600 digits that are fitted on, 600 that are not, and 597 of which each reference was fitted on a random half."""
    members, others, public = split(0, 600, 600)
    half, settings = len(public) // 2, {"steps": 1500, "patience": None}
    shadows = []
    for i in range(options.references):
        rows = torch.randperm(len(public), generator=torch.Generator().manual_seed(i))[:half]
        shadows.append(fitted("vae", TensorDataset(*public[rows]), seed=i, **settings))
        print("reference", i, flush=True)
    gen = fitted("vae", members, **settings)
    figures = {
        "vae, no privacy": told(augsynth.audit(gen, members, others)),
        f"with {len(shadows)} references": told(augsynth.audit(gen, members, others, references=shadows)),
    }
    print(figures, flush=True)
    record("audit-references", figures)


def first(options: argparse.Namespace) -> None:
    """A copier, fits without privacy, and fits that read their data once."""
    figures = attacked(
        {
            "copies": ("copier", {}),
            "vae, no privacy": ("vae", {"steps": 3000, "patience": None}),
            "merf, no privacy": ("merf", {}),
            "merf, epsilon 10": ("merf", {"epsilon": 10.0}),
            "merf, epsilon 1": ("merf", {"epsilon": 1.0}),
        }
    )
    figures["canaries of text"] = {}
    if options.questions.is_file():
        questions = open_dataset(str(options.questions), text="text", label="label")
        for repeats in (1, 20):
            planted = augsynth.plant_canaries(questions, 100, repeats=repeats)
            gen = augsynth.fit("lstm", planted.dataset, max_time="4m", progress=False)
            found = augsynth.audit(gen, planted.planted, planted.held_back, n=2000)
            figures["canaries of text"][f"lstm, no privacy, planted {repeats} times"] = told(found)
            print(repeats, figures["canaries of text"], flush=True)
    figures["private fits"] = claims("merf", options.runs)
    record("audit", figures)


PARTS = {"first": first, "dp-sgd": dp_sgd, "references": with_references}


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", choices=list(PARTS), default="first")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--references", type=int, default=8)
    parser.add_argument("--questions", type=Path, default=Path("../shared/data/trec6/train.csv"))
    options = parser.parse_args()
    PARTS[options.part](options)


if __name__ == "__main__":
    main()
