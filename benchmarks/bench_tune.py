"""Does `augsynth.tune` answer rightly? On Fashion-MNIST with 20 images per class, where samples of the VAE gain
something (`bench_uplift`), and for a generator of noise on the same images, where nothing can be gained. It chooses
on 3,000 images of the training split, and what it chose is scored on the test split, over further seeds.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from pathlib import Path

import torch
from bench_uplift import TUNING, Task
from common import record

import augsynth
from augsynth import authoring


class Noise(augsynth.Generator):
    """Uniform noise, whatever the label."""

    def build(self, spec) -> None:
        self.register_buffer("nothing", torch.zeros(1))

    def learn(self, data) -> None:
        pass

    def draw(self, labels, seeds, *, temperature, truncation):
        return authoring.uniform(seeds, self.spec.shape) * 2 - 1


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--steps", type=int, default=1200)
    options = parser.parse_args()
    figures: dict = {"trials": options.trials, "steps": options.steps}
    with tempfile.TemporaryDirectory() as temporary:
        task = Task("fashion-20", Path(temporary), "vae")
        real, held = task.draw(TUNING)[0], task.validation()
        generators = {
            "noise": augsynth.fit(Noise, real, device="cpu", progress=False),
            "vae": augsynth.fit("vae", real, device="cpu", progress=False),
        }
        for name, gen in generators.items():
            found = augsynth.tune(gen, real, validation=held, trials=options.trials, steps=options.steps)
            print(name, found.sentence, flush=True)
            figures[name] = {key: value for key, value in found.to_json().items() if key != "settings"}
            if found.verdict == "use":
                arms = {"real": real, "tuned": lambda seed, found=found: found.blend(real, seed=seed)}
                scored = augsynth.uplift(real, task.test, arms, seeds=5, steps=options.steps, stop_early=False)
                print(scored, flush=True)
                figures[name]["on the test split"] = {"sentence": scored.sentence, "verdict": scored.verdict}
    record("tune", figures)


if __name__ == "__main__":
    main()
