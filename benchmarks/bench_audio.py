"""Spoken digits: does the generator say what it was asked to, and does training gain from it?

The recordings are those of ``../shared/data/spoken_digits`` (four speakers, 8 kHz). Judge and generator are fitted
on three speakers; the fourth is never fitted. Uplift: 10 and 50 recordings of each digit; each seed draws others and
fits another generator; classic augmentation is chosen beforehand, on recordings that no arm trains on or is scored by.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import torch
from augsynth_audio.folder import AudioFiles
from common import record

import augsynth
from augsynth.classifiers.training import train_classifier
from augsynth.features import probabilities
from augsynth.fitting.training_data import TrainingData

DATA = Path(__file__).parents[2] / "shared" / "data" / "spoken_digits"
FITTED, NEVER = ("george", "jackson", "nicolas"), ("yweweler",)
SECONDS = 0.64  # 97 % of the recordings are shorter


def recordings(speakers, numbers):
    files = [
        file
        for file in sorted(DATA.glob("*.wav"))
        if file.stem.split("_")[1] in speakers and int(file.stem.split("_")[2]) in numbers
    ]
    return AudioFiles(files, [int(file.stem[0]) for file in files], [str(i) for i in range(10)], seconds=SECONDS)


class InMemory(torch.utils.data.Dataset):
    """Decoded once: what is compared is training, not reading."""

    def __init__(self, files):
        self.samples, self.targets = [files[i] for i in range(len(files))], files.targets
        self.classes, self.sample_rate = files.classes, files.sample_rate

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        return self.samples[index]

    def subset(self, rows):
        made = object.__new__(InMemory)
        made.samples, made.targets = [self.samples[i] for i in rows], [self.targets[i] for i in rows]
        made.classes, made.sample_rate = self.classes, self.sample_rate
        return made


def agreement(judge, x, classes):
    return float((probabilities(judge, x).argmax(1) == classes).float().mean())


def faithfulness(seeds, steps):
    train, test = InMemory(recordings(FITTED, range(10, 50))), InMemory(recordings(FITTED, range(10)))
    never = InMemory(recordings(NEVER, range(50)))
    data, held, unseen = (TrainingData.read(one, show=False) for one in (train, test, never))
    judge = train_classifier(train, data.spec, steps=900, seed=0)
    rows = {
        "judge, held-out recordings": agreement(judge, held.model_x(), held.classes),
        "judge, speaker never fitted": agreement(judge, unseen.model_x(), unseen.classes),
    }
    wanted = torch.arange(500) % 10
    for seed in range(seeds):
        gen = augsynth.fit("specvae", train, steps=steps, seed=seed, progress=False, device="cpu")
        made = gen.sample(labels=wanted, seed=seed)
        rows[f"samples, seed {seed}"] = agreement(judge, made.model_x, wanted)
        x = torch.stack([one for one, _ in never.samples])
        rows[f"variations of the speaker never fitted, seed {seed}"] = agreement(
            judge, gen.vary(x, never.targets, seed=seed).model_x, unseen.classes
        )
        rows[f"seconds of fit, seed {seed}"] = gen.fit_info["seconds"]
    return rows


def gains(per_class, seeds, steps, train_steps):
    """All four speakers; recordings 0 to 14 of each are scored on, 15 to 19 choose the classic augmentation."""
    every = FITTED + NEVER
    pool, test = InMemory(recordings(every, range(20, 50))), InMemory(recordings(every, range(15)))
    choosing = InMemory(recordings(every, range(15, 20)))
    targets = torch.tensor(pool.targets)

    def drawn(seed):
        order = torch.randperm(len(pool), generator=torch.Generator().manual_seed(seed))
        return pool.subset(torch.cat([order[targets[order] == c][:per_class] for c in range(10)]).tolist())

    classic = augsynth.tune_classic(
        drawn(10_000), validation=choosing, seeds=2, steps=train_steps, jobs=1, progress=False
    )
    fitted = {}

    def source(seed):
        if seed not in fitted:
            fitted[seed] = augsynth.fit("specvae", drawn(seed), steps=steps, seed=seed, progress=False, device="cpu")
        return fitted[seed]

    def arm(ratio, **options):
        def make(seed):
            return augsynth.SyntheticDataset(
                drawn(seed),
                source(seed) if ratio else None,
                ratio=ratio,
                transform=classic.transform,
                seed=seed,
                progress=False,
                **options,
            )

        return make

    arms = {
        "real + classic": arm(0.0),
        "samples .3": arm(0.3),
        "vary .3 at .5": arm(0.3, mode="vary", strength=0.5),
    }
    rows = {"classic": classic.name}
    found = augsynth.uplift(
        drawn(0), test, arms, baseline="real + classic", candidate="vary .3 at .5", seeds=seeds,
        steps=train_steps, jobs=1, stop_early=False, progress=False,
    )  # fmt: skip
    for name, one in found.arms.items():
        rows[name] = f"{100 * one.mean:.1f} ± {100 * one.std:.1f}"
        if one.gain is not None:
            rows[f"{name}, gain"] = [round(100 * value, 2) for value in one.gain]
    settings = {"updates of the generator": steps, "updates of each classifier": train_steps, "seeds": seeds}
    return {**rows, "verdict": found.sentence, **settings}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=600, help="updates of the generator")
    parser.add_argument("--train-steps", type=int, default=600, help="updates of each classifier")
    parser.add_argument("--only", choices=["faithfulness", "10", "50"])
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit(f"{DATA} is not there: it holds the recordings")
    warnings.simplefilter("ignore")
    if options.only in (None, "faithfulness"):
        record("audio-faithfulness", faithfulness(options.seeds, options.steps))
    for per_class in (10, 50):
        if options.only in (None, str(per_class)):
            record(f"audio-uplift-{per_class}", gains(per_class, options.seeds, options.steps, options.train_steps))


if __name__ == "__main__":
    main()
