"""What a student of a generator costs and gains: samples a second on one core, held against its teacher.

Fashion-MNIST with ``--per-class`` images of each class. Of teacher and student alike, by seed of the fit: the share of
labels that a classifier of 20,000 other images agrees with, Fréchet distance, density and coverage against held-out
images, and how far the student's variations of real images are from the teacher's, as a share of what the teacher
changes. Rates are those of requests of 256, in turns.
"""

from __future__ import annotations

import argparse
import json
import warnings
from typing import Any

import torch
from common import RESULTS, in_turns, record

import augsynth
from augsynth.classifiers.training import train_classifier
from augsynth.features import probabilities
from augsynth.fitting.training_data import TrainingData

REQUEST, EACH = 256, 200
FIGURES = ("frechet_distance", "density", "coverage")


def held(gen: Any, train: Any, test: Any, judge: Any) -> dict[str, float]:
    classes = range(len(train.classes))
    made = [gen.sample(EACH, labels=c, seed=0).model_x for c in classes]
    right = [float((probabilities(judge, x).argmax(1) == c).float().mean()) for c, x in zip(classes, made, strict=True)]
    found = augsynth.evaluate(gen, train, test, seed=0, progress=False).figures
    return {
        "agreement": sum(right) / len(right),
        **{name: one.value for name, one in found.items() if name.startswith(FIGURES)},
    }


def compared(name: str, train: Any, test: Any, judge: Any, seed: int, options: Any) -> dict[str, Any]:
    teacher = augsynth.fit(name, train, seed=seed, device="cpu", progress=False)
    student = augsynth.distill(
        teacher, steps=options.steps, seed=seed, device="cpu", progress=False, **dict(options.settings)
    )
    both = {"teacher": teacher, "student": student}
    seconds = in_turns({key: lambda gen=gen: gen.sample(REQUEST, seed=0) for key, gen in both.items()}, 9)
    rates = {key: REQUEST / sorted(times)[len(times) // 2] for key, times in seconds.items()}
    row: dict[str, Any] = {
        **{key: {**held(gen, train, test, judge), "samples/s": rates[key]} for key, gen in both.items()},
        "times as fast": rates["student"] / rates["teacher"],
        "error": student.fit_info["distillation_error"],
        "seconds to fit": teacher.fit_info["seconds"],
        "seconds to distil": student.fit_info["seconds"],
    }
    if "vary" in teacher.capabilities:
        x, y = zip(*(train[i] for i in range(REQUEST)), strict=True)
        a, b = (gen.vary(list(x), list(y), seed=0).model_x for gen in (teacher, student))
        moved = (a - teacher.spec.inputs(list(x))).abs().mean()
        row["variations apart"] = float((a - b).abs().mean() / moved)
    return row


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--per-class", type=int, default=100)
    parser.add_argument("--steps", type=int, default=3000, help="of the student")
    parser.add_argument("--generators", nargs="+", default=["vae"])
    parser.add_argument(
        "--settings", nargs="*", default=[], type=lambda one: (one.split("=")[0], int(one.split("=")[1]))
    )
    options = parser.parse_args()
    everything, test = augsynth.open_dataset("fashion-mnist"), augsynth.open_dataset("fashion-mnist", split="test")
    order = torch.randperm(len(everything), generator=torch.Generator().manual_seed(0))
    targets = torch.tensor(everything.targets)[order[:-20_000]]
    chosen = torch.cat([order[:-20_000][targets == c][: options.per_class] for c in range(len(everything.classes))])
    train, held_out = everything.subset(chosen), test.subset(torch.arange(2000))
    judged = everything.subset(order[-20_000:])
    judge = train_classifier(judged, TrainingData.read(judged, show=False).spec, steps=1500, seed=0)
    file, told = RESULTS / "distill.json", {"per class": options.per_class, "steps": options.steps}
    before = json.loads(file.read_text())["figures"] if file.is_file() else {}
    figures = before if before.items() >= told.items() else told  # other generators of the same settings stay
    for name in options.generators:
        figures[name] = []
        for seed in range(options.seeds):
            figures[name].append(compared(name, train, held_out, judge, seed, options))
            print(name, seed, figures[name][-1], flush=True)
    record("distill", figures)


if __name__ == "__main__":
    main()
