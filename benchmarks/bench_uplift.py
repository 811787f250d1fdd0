"""What training gains from synthetic samples, beside classic augmentation: `augsynth.uplift` on five tasks.

Each seed draws another training set, fits another generator on it, and trains every arm for the same number of steps.
Classic augmentation is tuned beforehand (`augsynth.tune_classic`), on a draw that no seed uses and validation samples
of the training split; ratio, strength and method of variation are those that `bench_vary` chose on its validation
images, for all tasks alike. The test split is scored once.

    python benchmarks/bench_uplift.py --task fashion-20
"""

from __future__ import annotations

import argparse
import fcntl
import json
import statistics
import tempfile
import warnings
from pathlib import Path

import torch
from bench_perplexity import read
from bench_vary import long_tail
from common import drawn_evenly, record
from sklearn.model_selection import train_test_split

import augsynth
from augsynth.datasets.named import open_dataset
from augsynth.fitting.training_data import TrainingData
from augsynth.modalities.image.classic import candidates
from augsynth.utility.comparison import mean_interval

TASKS = ("fashion-20", "fashion-100", "fashion-long-tail", "digits-30", "trec6-500")
TUNING = 10**6  # the seed of the draw that classic augmentation is tuned on


class Task:
    """Training sets by seed, the test set, and a generator for each training set."""

    def __init__(self, name: str, folder: Path, generator: str) -> None:
        self.name, self.folder, self.generator = name, folder, generator
        if name == "trec6-500":
            self.full, self.test = read("trec6", "train", 10**6), read("trec6", "test", 10**6)
        else:
            data = "digits" if name.startswith("digits") else "fashion-mnist"
            self.full, self.test = open_dataset(data), open_dataset(data, split="test")

    def draw(self, seed: int):
        """The training set of a seed, and its classes from frequent to rare."""
        if self.name == "trec6-500":
            labels = [y for _, y in self.full]
            positions = list(range(len(self.full) - 2000 if seed == TUNING else len(self.full)))
            chosen, _ = train_test_split(
                positions, train_size=500, random_state=seed % 2**32, stratify=[labels[i] for i in positions]
            )
            return [self.full[i] for i in chosen], None
        if self.name == "fashion-long-tail":
            chosen, ranking, _ = long_tail(self.full, seed)
            return self.full.subset(chosen), ranking.tolist()
        per_class = int(self.name.rpartition("-")[2])
        order = torch.randperm(len(self.full), generator=torch.Generator().manual_seed(seed))
        targets = torch.tensor(self.full.targets)[order]
        return self.full.subset(torch.cat([order[targets == c][:per_class] for c in range(10)])), None

    def validation(self):
        """Samples of the training split, mostly of no draw."""
        if self.name == "trec6-500":
            return self.full[-2000:]
        taken = {x.numpy().tobytes() for x in self.draw(TUNING)[0].inputs}
        rows = [i for i in range(len(self.full)) if self.full.inputs[i].numpy().tobytes() not in taken]
        return self.full.subset(torch.tensor(rows[-3000:]))

    def gen(self, seed: int):
        """The generator of a seed: fitted by the first process that needs it."""
        path = self.folder / f"{self.name}-{self.generator}-{seed}"
        with (self.folder / f"{seed}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                train = self.draw(seed)[0]
                augsynth.fit(self.generator, train, seed=0, device="cpu", progress=False).save(path)
        return augsynth.load(path)

    def arms(self, classic) -> dict:
        def arm(prefix: str, transform=None, ratio=0.0, balanced=False, **options):
            def make(seed: int):
                real = self.draw(seed)[0]
                base = drawn_evenly(real) if balanced else real
                source = self.gen(seed) if ratio else None
                return augsynth.SyntheticDataset(
                    base, source, ratio=ratio, transform=transform, seed=seed, progress=False, **options
                )

            return prefix, make

        if self.name == "trec6-500":
            options = {"temperature": 0.8}
            rows = [
                arm("real"),
                arm("real + classic", classic),
                arm("real + synthetic", None, 0.3, **options),
                arm("real + classic + synthetic", classic, 0.3, **options),
            ]
            return dict(rows)
        vary = {"mode": "vary", "vary_options": {"method": "transfer"}}
        if self.name == "fashion-long-tail":
            rows = [
                arm("real"),
                arm("balanced", balanced=True),
                arm("balanced + classic", classic, balanced=True),
                arm("balanced + classic + samples", classic, 0.5, balanced=True),
                arm("balanced + classic + vary 0.25", classic, 0.25, balanced=True, **vary),
                arm("balanced + classic + vary", classic, 0.5, balanced=True, **vary),
            ]
            return dict(rows)
        rows = [
            arm("real"),
            arm("real + classic", classic),
            arm("real + synthetic", None, 0.5),
            arm("real + vary", None, 0.5, **vary),
            arm("real + classic + synthetic", classic, 0.5),
            arm("real + classic + vary", classic, 0.5, **vary),
        ]
        return dict(rows)


def policies(task: Task, real) -> dict:
    """Candidates for classic augmentation: the light ones, which a study beforehand found best."""
    every = candidates(TrainingData.read(real, show=False).spec)
    wanted = ("shift", "flip", "shift + flip", "eda", "aeda")
    return {name: one for name, one in every.items() if name in wanted}


def rarest(folder: Path, task: Task, baseline: str) -> dict:
    """Recall on the three rarest classes of each seed, and its gain over the baseline."""
    rows = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()[1:]]
    scores: dict[str, dict[int, float]] = {}
    for row in rows:
        rare = task.draw(row["rng"])[1][-3:]
        scores.setdefault(row["arm"], {})[row["seed"]] = statistics.mean(row["recalls"][c] for c in rare)
    seeds = sorted(scores[baseline])
    return {
        arm: {
            "mean": statistics.mean(own.values()),
            "gain": mean_interval([own[i] - scores[baseline][i] for i in seeds]) if arm != baseline else None,
        }
        for arm, own in scores.items()
    }


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", choices=TASKS, action="append")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--generator", help="of images; default vae")
    options = parser.parse_args()
    for name in options.task or TASKS:
        generator = "lstm" if name.startswith("trec6") else options.generator or "vae"
        steps = 600 if name.startswith("trec6") else options.steps
        with tempfile.TemporaryDirectory() as temporary:
            task = Task(name, Path(temporary), generator)
            tuned_on = task.draw(TUNING)[0]
            base = drawn_evenly(tuned_on) if name.endswith("long-tail") else tuned_on
            # at the same steps: augmentation takes longer to pay, and would lose to none at half of them
            chosen = augsynth.tune_classic(
                base, policies(task, tuned_on), validation=task.validation(), seeds=2, steps=steps, seed=0
            )
            print(name, "classic:", chosen.name, {k: round(v, 4) for k, v in chosen.scores.items()}, flush=True)
            arms = task.arms(chosen.transform)
            baseline = next(arm for arm in arms if arm.endswith("+ classic"))
            found = augsynth.uplift(
                tuned_on,
                task.test,
                arms,
                baseline=baseline,
                seeds=options.seeds,
                steps=steps,
                stop_early=False,
                out=Path(temporary) / "trials",
            )
            print(found, flush=True)
            figures = found.to_json()
            figures.pop("curves")
            figures["classic"] = {"chosen": chosen.name, "validation scores": chosen.scores}
            if name.endswith("long-tail"):
                figures["three rarest classes"] = rarest(Path(temporary) / "trials", task, baseline)
            record(f"uplift-{name}" + (f"-{generator}" if options.generator else ""), figures)


if __name__ == "__main__":
    main()
