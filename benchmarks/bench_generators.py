"""Every image generator on one table: what its fit takes, how fast it samples, and what its samples are worth.

For each generator and seed: seconds of the fit; samples a second on one core; the share of samples that a judge,
trained on real images that no generator saw, gives the label that was asked for; Fréchet distance, density and
coverage in the features of that judge, against held-out images; and the accuracy on those of a classifier trained on
samples alone (CAS, Ravuri & Vinyals 2019). The row "real" is the training set itself in the place of samples.

    python benchmarks/bench_generators.py --data fashion-mnist --per-class 1000 --max-time 5m
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import RESULTS, apart, record

import augsynth
from augsynth._atomic import atomic_file
from augsynth.classifiers.training import train_classifier
from augsynth.datasets.arrays import ArrayDataset
from augsynth.datasets.named import open_dataset
from augsynth.evaluation.feature_spaces import distances
from augsynth.evaluation.fidelity import frechet_distance, manifold
from augsynth.features import ClassifierFeatures, probabilities
from augsynth.fitting.training_data import TrainingData

GENERATORS = ("vae", "autoencoder", "vaegan", "gan", "vqvae", "flow")
JUDGED = 20_000  # images that the judge is trained on, where there are so many


def parts(options: argparse.Namespace) -> tuple[ArrayDataset, ArrayDataset, ArrayDataset]:
    """Images to fit on, to train the judge on, and to score on."""
    train = open_dataset(options.data, size=options.size)
    try:
        test = open_dataset(options.data, split="test", size=options.size)
    except augsynth.AugsynthError:
        test = None
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))
    if options.split == "validation" or test is None:
        held = min(5_000, len(train) // 4)
        test, order = train.subset(order[:held]), order[held:]
    targets = torch.tensor(train.targets)[order]
    classes = range(len(train.classes))
    if options.per_class:
        chosen = torch.cat([order[targets == c][: options.per_class] for c in classes])
        left = order[~torch.isin(order, chosen)]
        return train.subset(chosen), train.subset(left[:JUDGED]), test
    # all of it: the judge has nothing but the same images
    return train.subset(order), train.subset(order[:JUDGED]), test


class Scorer:
    """Figures of samples, by a judge that no generator saw."""

    def __init__(self, train: ArrayDataset, judged: ArrayDataset, test: ArrayDataset, options: Any) -> None:
        data = TrainingData.read(judged, show=False)
        self.device = options.device
        self.spec, self.steps, self.test = TrainingData.read(train, show=False).spec, options.steps, test
        taught = {"steps": options.judge_steps, "seed": 0, "device": options.device}
        (self.judge,) = apart(lambda: train_classifier(judged, data.spec, **taught).cpu(), [()], options.jobs)
        self.space = ClassifierFeatures(self.judge, data.model_x(torch.arange(min(len(data), 5000))))
        self.x = self.spec.raw_to_model(test.inputs)
        self.y = torch.tensor(test.targets)
        self.accuracy = float((probabilities(self.judge, self.x).argmax(1) == self.y).float().mean())

    def __call__(self, x: torch.Tensor, raw: Any, y: torch.Tensor, seed: int) -> dict[str, float]:
        agreed = (probabilities(self.judge, x).argmax(1) == y).float()
        n = min(2000, len(x), len(self.x))
        pick = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))[:n]
        made, held = (np.asarray(self.space(one)) for one in (x[pick], self.x[:n]))
        around = manifold(distances(held, held), distances(held, made), distances(made, made))
        alone = ArrayDataset(raw, y, self.test.classes)
        taught = train_classifier(alone, self.spec, steps=self.steps, seed=seed, device=self.device)
        right = (probabilities(taught, self.x).argmax(1) == self.y).float()
        by_class = torch.stack([right[self.y == c].mean() for c in self.y.unique()])
        return {
            "label agreement": float(agreed.mean()),
            "frechet_distance[judge]": frechet_distance(held, made),
            "density": around["density"],
            "coverage": around["coverage"],
            "CAS": float(right.mean()),
            "CAS, balanced": float(by_class.mean()),
        }


def recorded_figures(name: str, images: int, asked: dict[str, str]) -> dict[str, Any]:
    """What is recorded under this name, where it was asked for as now: anything else would be two tables in one."""
    figures: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())["figures"]
    for key, now in {"options": asked, "images fitted on": images}.items():
        if figures[key] != now:
            raise SystemExit(f"{name} is of {key} {figures[key]}, and this run of {now}: record it as another")
    return figures


def recorded_rows(name: str, recorded: dict[str, Any], real: dict[str, float]) -> dict[str, list[dict[str, float]]]:
    """The rows of each generator, one a seed, where the real images score as they did. Another CPU rounds otherwise,
    by which a judge or a classifier differs in some tenths of a point."""
    rows: dict[str, Any] = recorded["rows"]
    (was,) = rows.pop("real")
    if any(abs(was[key] - real[key]) > 0.01 for key in ("label agreement", "CAS", "coverage")):
        raise SystemExit(
            f"{name}: real images scored {was} when it was recorded, and {real} now: record all of it anew"
        )
    return rows


def rate(gen: Any, how: dict[str, Any]) -> float:
    """Samples a second, on one core or the GPU."""
    n = 128 if gen.device.type == "cpu" else 2048
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        gen.sample(n, seed=0, **how)
        started = time.perf_counter()
        gen.sample(n, seed=1, **how)
        return n / (time.perf_counter() - started)
    finally:
        torch.set_num_threads(threads)


def _mean_and_std(values: list[float]) -> list[float]:
    return [statistics.mean(values), statistics.stdev(values) if len(values) > 1 else 0.0]


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="fashion-mnist")
    parser.add_argument("--size", type=int, help="side of the images of a folder")
    parser.add_argument("--per-class", type=int)
    parser.add_argument("--generators", nargs="+", default=GENERATORS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--steps", type=int, default=1500, help="of a classifier")
    parser.add_argument("--judge-steps", type=int, default=2000)
    parser.add_argument(
        "--out", type=Path, help="folder in which generators and rows are kept, to go on later or to sample otherwise"
    )
    parser.add_argument("--max-time", help="of each fit, in place of its preset")
    parser.add_argument("--split", choices=("test", "validation"), default="test")
    parser.add_argument("--device", default="cpu", help="of fits and classifiers")
    parser.add_argument("--jobs", type=int, default=1, help="fits at a time, which share the device")
    parser.add_argument("--config", default="{}", help="settings of the generators, as JSON")
    parser.add_argument("--sample", default="{}", help="options of sample, as JSON")
    parser.add_argument("--name", help="of the result; nothing is recorded for 'none'")
    parser.add_argument("--add", action="store_true", help="to what is recorded under this name, of the same options")
    options = parser.parse_args()
    usual = f"generators-{Path(options.data).name}" + (f"-{options.per_class}" if options.per_class else "")
    called = options.name or usual
    changes_nothing = ("generators", "seeds", "out", "name", "add")
    asked = {name: str(value) for name, value in vars(options).items() if name not in changes_nothing}
    table = {key: value for key, value in asked.items() if key != "sample"} | {"data": Path(options.data).name}
    train, judged, test = parts(options)
    recorded = recorded_figures(called, len(train), table) if options.add else {}
    score = Scorer(train, judged, test, options)
    counts = torch.bincount(torch.tensor(train.targets))
    figures: dict[str, Any] = {
        "images fitted on": len(train),
        "judge's accuracy on held-out images": score.accuracy,
        "options": table,
    }
    taken = (score.spec.raw_to_model(train.inputs), train.inputs, torch.tensor(train.targets), 0)
    rows = figures["rows"] = {"real": list(apart(score, [taken], options.jobs))}
    print("real", rows["real"][0], flush=True)
    before = recorded_rows(called, recorded, rows["real"][0]) if options.add else {}

    of_fit = asked.keys() - {"sample", "samples", "steps", "judge_steps"}
    how = json.loads(options.sample)

    def fitted(name: str, seed: int, folder: Path | None) -> Any:
        limit = {"max_time": options.max_time} if options.max_time else {}
        gen = augsynth.fit(
            name, train, seed=seed, progress=False, device=options.device, **limit, **json.loads(options.config)
        )
        if folder:
            gen.save(folder)
        return gen

    def measured(name: str, seed: int) -> dict[str, float]:
        folder = options.out and options.out / f"{name}-{seed}"
        kept = folder and folder.with_suffix(".json")
        found = json.loads(kept.read_text()) if kept and kept.exists() else []
        # rows of the generator that is kept, where it was fitted as this one would be; one alone is of an older run
        of_it = [
            one
            for one in (found if isinstance(found, list) else [found])
            if all(one["asked"].get(key) == asked[key] for key in of_fit)
        ]
        for one in of_it:
            if one["asked"] == asked:
                return dict(one["row"])
        gen = augsynth.load(folder, device=options.device) if of_it else fitted(name, seed, folder)
        y = torch.arange(options.samples) % len(counts)
        made = gen.sample(labels=y.tolist(), seed=seed, **how)
        row = {
            "seconds": gen.fit_info["seconds"],
            "updates": gen.fit_info["steps"],
            "samples/s" if options.device != "cpu" else "samples/s, one core": rate(gen, how),
        }
        row |= score(made.model_x.cpu(), torch.as_tensor(made.x).cpu(), y, seed)
        print(name, seed, {k: round(v, 4) for k, v in row.items()}, flush=True)
        if kept:
            with atomic_file(kept) as draft:
                draft.write_text(json.dumps([*of_it, {"asked": asked, "row": row}], indent=1))
        return row

    calls = [(name, seed) for seed in range(options.seeds) for name in options.generators]
    titles = {name: f"{name} {options.sample}" if how else name for name in options.generators}
    calls = [(name, seed) for name, seed in calls if seed >= len(before.get(titles[name], []))]
    rows |= before
    for (name, _), row in zip(calls, apart(measured, calls, options.jobs), strict=True):
        rows.setdefault(titles[name], []).append(row)
    figures["means"] = {
        name: {key: _mean_and_std([row[key] for row in own]) for key in own[0]} for name, own in rows.items()
    }
    if called != "none":
        record(called, figures)


if __name__ == "__main__":
    main()
