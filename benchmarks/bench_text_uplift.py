"""Test accuracy on TREC-6 with few training questions: real ones, rewritten ones, generated ones, at equal steps.

The classifier is a small convolutional one (Kim 2014) with hashed words, trained from scratch; what it reads is all
that differs. For each seed another sample of the training questions is drawn, by class. The test set is used for
nothing else: share and temperature of the generated questions were set beforehand (``--validate`` scores arms on
training questions that no classifier of that seed has seen, with seeds of their own).
"""

from __future__ import annotations

import argparse
import time
import warnings
import zlib

import numpy as np
import torch
from bench_perplexity import read
from common import record
from scipy import stats
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses
from torch.utils.data import DataLoader

import augsynth

BUCKETS, WIDTH, BATCH = 2**14, 40, 32


class TextCNN(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(BUCKETS, 100, padding_idx=0)
        self.filters = nn.ModuleList([nn.Conv1d(100, 64, size, padding=size - 1) for size in (2, 3, 4)])
        self.out = nn.Linear(3 * 64, classes)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = F.dropout(self.embed(ids), 0.2, self.training).transpose(1, 2)  # (n, 100, WIDTH)
        pooled = torch.cat([F.relu(conv(x)).amax(2) for conv in self.filters], dim=1)
        return self.out(F.dropout(pooled, 0.5, self.training))


def encoded(texts: list[str]) -> torch.Tensor:
    ids = torch.zeros(len(texts), WIDTH, dtype=torch.int64)
    for row, text in zip(ids, texts, strict=True):
        words = [1 + zlib.crc32(word.encode()) % (BUCKETS - 1) for word in text.lower().split()[:WIDTH]]
        row[: len(words)] = torch.tensor(words)
    return ids


def accuracy(train, test: list[tuple[str, str]], steps: int, seed: int) -> float:
    torch.manual_seed(seed)
    classes = sorted({y for _, y in test})
    model = TextCNN(len(classes))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    loader = DataLoader(train, batch_size=BATCH, shuffle=True)
    step = epoch = 0
    while step < steps:
        if hasattr(train, "set_epoch"):
            train.set_epoch(epoch)
        epoch += 1
        for texts, labels in loader:
            loss = F.cross_entropy(model(encoded(texts)), torch.tensor([classes.index(label) for label in labels]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            if step == steps:
                break
    model.eval()
    with torch.no_grad():
        predicted = model(encoded([x for x, _ in test])).argmax(1)
    return float((predicted == torch.tensor([classes.index(y) for _, y in test])).float().mean())


def arms(train, gen, seed: int, ratio: float, temperature: float) -> dict:
    eda = augsynth.create("transform", "eda", n_aug=16, alpha=0.05)  # what the paper recommends for up to 500 texts
    aeda = augsynth.create("transform", "aeda")

    def blend(share: float, transform=None):
        options = {"temperature": temperature, "transform": transform, "seed": seed}
        return augsynth.SyntheticDataset(train, gen, ratio=share, **options)

    return {
        "real": train,
        "real + eda": blend(0.0, eda),
        "real + aeda": blend(0.0, aeda),
        "real + generated": blend(ratio),
        "real + generated + eda": blend(ratio, eda),
    }


def interval(values: list[float]) -> float:
    """Half of the 95 % confidence interval of the mean (t distribution)."""
    return float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5)


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 100, 500])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--ratio", type=float, default=0.3)
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--validate", action="store_true", help="score on unused training questions, with other seeds")
    options = parser.parse_args()
    everything, test = read("trec6", "train", 10**6), read("trec6", "test", 10**6)
    table = {}
    for size in options.sizes:
        scores: dict[str, list[float]] = {}
        for seed in range(options.seeds):
            seed += 100 * options.validate
            started = time.time()
            train, rest = train_test_split(
                everything, train_size=size, random_state=seed, stratify=[y for _, y in everything]
            )
            gen = augsynth.fit("lstm", train, seed=seed, device="cpu", progress=False)
            judged_on = rest[:2000] if options.validate else test
            for name, data in arms(train, gen, seed, options.ratio, options.temperature).items():
                scores.setdefault(name, []).append(accuracy(data, judged_on, options.steps, seed))
            print(
                size,
                seed,
                {k: round(v[-1], 3) for k, v in scores.items()},
                f"{time.time() - started:.0f} s",
                flush=True,
            )
        table[size] = {
            name: {
                "mean": round(float(np.mean(own)), 4),
                "±": round(interval(own), 4),
                "gain over real": round(float(np.mean(own) - np.mean(scores["real"])), 4),
                "gain ±": round(interval([a - b for a, b in zip(own, scores["real"], strict=True)]), 4),
                "scores": [round(score, 4) for score in own],
            }
            for name, own in scores.items()
        }
    settings = {
        "seeds": options.seeds,
        "steps": options.steps,
        "ratio": options.ratio,
        "temperature": options.temperature,
    }
    if options.validate:
        print(
            settings,
            {size: {k: (v["mean"], v["gain over real"]) for k, v in rows.items()} for size, rows in table.items()},
        )
        return
    record("text-uplift-trec6", {**settings, "test questions": len(test), "training questions": table})


if __name__ == "__main__":
    main()
