"""One of two processes that fit together; writes what it saw, for ``test_fitting_together``.

torchrun --nproc_per_node 2 tests/fitting_ranks.py FOLDER
"""

import hashlib
import json
import os
import signal
import sys
import warnings
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import Subset, TensorDataset

import augsynth
from augsynth import authoring

RANK = int(os.environ.get("RANK", 0))


class Linear(augsynth.Generator):
    """Nothing couples its samples, so that a step of two processes is that of one."""

    modality = "image"

    def build(self, spec, *, lr: float = 1e-2):
        self.layer = nn.Linear(64, 64)
        self.unused = nn.Linear(2, 2)

    def training_step(self, batch):
        noisy = batch.x.flatten(1) + authoring.noise(batch.seeds, (64,))
        return {"loss": (self.layer(noisy) - batch.x.flatten(1)).square().mean()}

    def validation_loss(self, batch):
        return (self.layer(batch.x.flatten(1)) - batch.x.flatten(1)).square().mean()

    def draw(self, labels, seeds, *, temperature, truncation):
        return torch.tanh(self.layer(authoring.noise(seeds, (64,)) * temperature)).view(-1, 1, 8, 8)


class Failing(Linear):
    """Its loss is not finite in one process, once."""

    def training_step(self, batch):
        loss = super().training_step(batch)["loss"]
        if RANK == 1 and batch.step == 30 and not getattr(self, "failed", False):
            self.failed, loss = True, loss * float("nan")
        return {"loss": loss}


def digits():
    data = load_digits()
    return TensorDataset(torch.tensor(data.images / 16, dtype=torch.float32)[:, None], torch.tensor(data.target))


def told(gen):
    weights = b"".join(one.contiguous().numpy().tobytes() for one in gen.state_dict().values())
    return {
        "weights": hashlib.sha256(weights).hexdigest()[:12],
        "history": gen.fit_info["history"],
        **{key: gen.fit_info[key] for key in ("steps", "ended", "best_step", "rollbacks")},
    }


def refused(*args, **options):
    try:
        augsynth.fit(*args, **options)
    except augsynth.AugsynthError as error:
        return f"{type(error).__name__}: {error}"


def stop_one(step, losses):
    if step == 40:
        os.kill(os.getpid(), signal.SIGINT)  # the first process alone hears of it


def main(folder):
    real = digits()
    own = {"steps": 100, "batch_size": 50, "seed": 0, "progress": False, "device": "cpu"}
    shared = {**own, "strategy": "ddp"}
    found = {}
    alone, together = augsynth.fit(Linear, real, **own), augsynth.fit(Linear, real, **shared)
    pairs = zip(alone.state_dict().values(), together.state_dict().values(), strict=True)
    found["apart"] = max(float((a - b).abs().max()) for a, b in pairs)
    found["alone"], found["together"] = told(alone), told(together)
    few = augsynth.fit(Linear, real, **{**shared, "steps": 3})  # fewer than between two looks at the losses
    found["few"] = {**told(few), "seconds": few.fit_info["seconds"]}
    found["uneven"] = told(augsynth.fit(Linear, real, **{**shared, "batch_size": 51}))
    parts = augsynth.fit(Linear, real, **shared, micro_batch_size=9)
    pairs = zip(alone.state_dict().values(), parts.state_dict().values(), strict=True)
    found["apart in parts"] = max(float((a - b).abs().max()) for a, b in pairs)
    mixed = augsynth.fit("vae", real, **{**shared, "steps": 40}, precision="bf16-mixed", micro_batch_size=20)
    found["parts"], found["mixed"] = told(parts), told(mixed)
    found["gan"] = told(augsynth.fit("gan", real, **{**shared, "steps": 40}))

    place = {"checkpoint_dir": folder / "checkpoint", "patience": None}
    whole = augsynth.fit("vae", real, **shared, patience=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", augsynth.FitWarning)
        stopped = augsynth.fit("vae", real, **shared, **place, callback=stop_one)
    resumed = augsynth.fit("vae", real, **shared, **place, resume=True)
    found |= {"whole": told(whole), "stopped": told(stopped), "resumed": told(resumed)}
    found["saved"] = augsynth.load(folder / "checkpoint").checkpoint_id == resumed.checkpoint_id

    found["failing"] = told(augsynth.fit(Failing, real, **shared))
    found["timed"] = told(augsynth.fit(Linear, real, **{**shared, "steps": None}, max_time=1.0))
    cached = augsynth.fit(Linear, real if RANK == 0 else None, **shared, cache_dir=folder / "cache")
    found["cached"], found["left"] = told(cached), [one.name for one in (folder / "cache").iterdir()]
    found["different"] = refused(Linear, Subset(real, range(100 + RANK, 400)), **shared)
    found["broken"] = refused(Linear, [] if RANK == 0 else real, **shared, cache_dir=folder / "cache")
    found["small"] = refused(Linear, real, **{**shared, "batch_size": 1})
    (folder / f"{RANK}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
