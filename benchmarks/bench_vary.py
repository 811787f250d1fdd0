"""Does `vary` help rare classes? Long-tailed Fashion-MNIST: 500 images of the most frequent class down to 5.

Every arm trains the same classifier for the same number of steps on classes drawn evenly; half of each batch is varied,
or replaced by samples, where the arm says so. Classic augmentation (shift by up to two pixels and horizontal flip)
follows in all arms but the first. Which class is rare changes with the seed. Anything chosen is chosen on the
validation images (of the training split, seen by no arm); the test split is only reported.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings

import torch
from common import record
from torch.nn import functional as F  # noqa: N812 - as in torch's documentation

import augsynth
from augsynth.datasets.named import open_dataset
from augsynth.features import probabilities
from augsynth.modalities.image.classifier import ImageClassifier
from augsynth.modalities.image.spec import ImageSpec

LARGEST, SMALLEST, BATCH, VALIDATION = 500, 5, 64, 5000


def long_tail(train, seed: int):
    """Indices of a long-tailed training set, classes from frequent to rare, and indices for validation."""
    generator = torch.Generator().manual_seed(seed)
    targets = torch.tensor(train.targets)
    order, ranking = torch.randperm(len(train), generator=generator), torch.randperm(10, generator=generator)
    counts = [round(LARGEST * (SMALLEST / LARGEST) ** (i / 9)) for i in range(10)]
    validation, rest = order[:VALIDATION], order[VALIDATION:]
    chosen = [rest[targets[rest] == c][:n] for c, n in zip(ranking.tolist(), counts, strict=True)]
    return torch.cat(chosen), ranking, validation


def classic(x, generator):
    """Shift and flip, each image by itself."""
    n = len(x)
    flip = torch.rand(n, generator=generator) < 0.5
    x = torch.where(flip[:, None, None, None], x.flip(-1), x)
    padded = F.pad(x, (2, 2, 2, 2))
    dy, dx = (torch.randint(0, 5, (n,), generator=generator) for _ in range(2))
    rows = dy[:, None, None] + torch.arange(28)[None, :, None]
    columns = dx[:, None, None] + torch.arange(28)[None, None, :]
    return padded[torch.arange(n)[:, None, None], 0, rows, columns][:, None]


def real_differences(gen, images, classes, strength, generator):
    """The step of `transfer`, but from two training images of one other class, kept at hand for it."""
    z = gen.encode(images, classes)
    counts = torch.bincount(classes, minlength=10).double()

    def make(x, y):
        steps = []
        for label in y.tolist():
            weights = counts.clone()
            weights[label] = 0
            other = int(torch.multinomial(weights, 1, generator=generator))
            members = (classes == other).nonzero().flatten()
            a, b = members[torch.randint(len(members), (2,), generator=generator)]
            steps.append(z[a] - z[b])
        mean = gen.encode(x, y)
        moved, still = gen.decode(mean + strength * torch.stack(steps), y), gen.decode(mean, y)
        return (x.float() + moved.float() - still.float()).clamp(0, 255).to(torch.uint8)

    return make


def train_arm(images, classes, change, augment, seed, steps):
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = ImageClassifier(ImageSpec.of(images[0]), 10)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    members = [(classes == c).nonzero().flatten() for c in range(10)]
    for _ in range(steps):
        y = torch.randint(10, (BATCH,), generator=generator)
        position = torch.rand(BATCH, generator=generator)
        rows = torch.stack([members[c][int(p * len(members[c]))] for c, p in zip(y.tolist(), position, strict=True)])
        x = images[rows].clone()
        if change is not None:
            x[: BATCH // 2] = change(x[: BATCH // 2], y[: BATCH // 2])
        if augment:
            x = classic(x, generator)
        optimizer.zero_grad()
        F.cross_entropy(model(model.spec.raw_to_model(x)), y).backward()
        optimizer.step()
        schedule.step()
    return model


def accuracy(model, x, y, rare):
    predicted = probabilities(model, model.spec.raw_to_model(x)).argmax(1)
    per_class = torch.stack([(predicted[y == c] == c).float().mean() for c in range(10)])
    return {"mean": float(per_class.mean()), "three rarest": float(per_class[rare].mean())}


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--generator", default="vae")
    options = parser.parse_args()
    train, test = open_dataset("fashion-mnist"), open_dataset("fashion-mnist", split="test")
    test_x, test_y = test.inputs, torch.tensor(test.targets)
    rows: dict[str, list[dict]] = {}
    for seed in range(options.seeds):
        chosen, ranking, held = long_tail(train, seed)
        subset, validation = train.subset(chosen), train.subset(held)
        images, classes = subset.inputs, torch.tensor(subset.targets)
        started = time.perf_counter()
        gen = augsynth.fit(options.generator, subset, seed=seed, progress=False, device="cpu")
        print(f"seed {seed}: fitted in {time.perf_counter() - started:.0f} s", flush=True)
        randomness = torch.Generator().manual_seed(seed)

        def vary(method, strength, gen=gen, randomness=randomness):
            def make(x, y):
                seeds = torch.randint(2**62, (len(x),), generator=randomness)
                return gen.vary(x, y, strength=strength, seeds=seeds, method=method).x

            return make

        def samples(x, y, gen=gen, randomness=randomness):
            return gen.sample(labels=y, seeds=torch.randint(2**62, (len(x),), generator=randomness)).x

        arms = {"balanced": (None, False), "balanced + classic": (None, True), "samples": (samples, True)}
        for strength in (0.5, 1.0):
            for method in ("transfer", "pooled", "interpolate"):
                arms[f"vary {method} {strength}"] = (vary(method, strength), True)
            differences = real_differences(gen, images, classes, strength, randomness)
            arms[f"vary by real differences {strength}"] = (differences, True)
        arms["vary jitter 1.0"] = (vary("jitter", 1.0), True)
        for name, (change, augment) in arms.items():
            model = train_arm(images, classes, change, augment, seed, options.steps)
            rare = ranking[-3:]
            row = {"validation": accuracy(model, validation.inputs, torch.tensor(validation.targets), rare)}
            row["test"] = accuracy(model, test_x, test_y, rare)
            rows.setdefault(name, []).append(row)
            print(seed, name, {k: round(v, 4) for k, v in row["test"].items()}, flush=True)
    figures: dict = {"seeds": options.seeds, "steps": options.steps, "rows": rows}
    for split in ("validation", "test"):
        for what in ("mean", "three rarest"):
            values = {name: [row[split][what] for row in runs] for name, runs in rows.items()}
            base = values["balanced + classic"]
            figures[f"{split}, {what}"] = {
                name: {
                    "mean": statistics.mean(v),
                    "std": statistics.stdev(v),
                    "gain over balanced + classic": statistics.mean(a - b for a, b in zip(v, base, strict=True)),
                    "std of the gain": statistics.stdev([a - b for a, b in zip(v, base, strict=True)]),
                }
                for name, v in values.items()
            }
    record(f"vary-{options.generator}", figures)


if __name__ == "__main__":
    main()
