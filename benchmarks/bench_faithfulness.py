"""Do samples carry the label that was asked for? A classifier trained on real data judges them, class by class.

Digits: generators fitted on 1,200 images, the judge trained on the same and tested on 597 others. Fashion-MNIST: fitted
on `--per-class` images of each class, the judge trained on 20,000 others.
"""

from __future__ import annotations

import argparse
import warnings

import torch
from common import record

import augsynth
from augsynth.classifiers.training import train_classifier
from augsynth.datasets.named import open_dataset
from augsynth.features import probabilities
from augsynth.fitting.training_data import TrainingData

SAMPLES = 500


def measure(train, judge, generators, seeds) -> dict:
    figures: dict = {}
    classes = train.classes
    for name in generators:
        rows = []
        for seed in range(seeds):
            gen = augsynth.fit(name, train, seed=seed, progress=False)
            made = [gen.sample(SAMPLES, labels=c, seed=seed).model_x for c in range(len(classes))]
            agreement = [float((probabilities(judge, x).argmax(1) == c).float().mean()) for c, x in enumerate(made)]
            rows.append(
                {
                    "agreement": dict(zip(classes, agreement, strict=True)),
                    "mean": sum(agreement) / len(agreement),
                    "least": min(agreement),
                    "seconds": gen.fit_info["seconds"],
                    "steps": gen.fit_info["steps"],
                    "diversity": gen.fit_info["diversity"],
                }
            )
            print(name, seed, rows[-1]["mean"], rows[-1]["least"], rows[-1]["seconds"], flush=True)
        figures[name] = rows
    return figures


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--data", choices=("digits", "fashion-mnist"), default="digits")
    parser.add_argument("--per-class", type=int, default=100, help="images per class of Fashion-MNIST to fit on")
    parser.add_argument("--generators", nargs="+", default=["vae", "autoencoder", "gan"])
    options = parser.parse_args()
    train, test = open_dataset(options.data), open_dataset(options.data, split="test")
    judged, name = train, f"faithfulness-{options.data}"
    if options.data == "fashion-mnist":
        order = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))
        judged, rest = train.subset(order[-20_000:]), order[:-20_000]
        targets = torch.tensor(train.targets)[rest]
        train = train.subset(torch.cat([rest[targets == c][: options.per_class] for c in range(10)]))
        name += f"-{options.per_class}"
    spec = TrainingData.read(judged, show=False).spec
    judge = train_classifier(judged, spec, steps=2000, seed=0)
    right = probabilities(judge, spec.raw_to_model(test.inputs)).argmax(1) == torch.tensor(test.targets)
    figures = {"judge's accuracy on the test set": float(right.float().mean()), "samples per class": SAMPLES}
    figures["images fitted on"] = len(train)
    figures |= measure(train, judge, options.generators, options.seeds)
    record(name, figures)


if __name__ == "__main__":
    main()
