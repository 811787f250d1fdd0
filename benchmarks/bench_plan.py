"""Planning the blend of an epoch of a million samples: time for 100,000 positions, and memory that is kept."""

from __future__ import annotations

import tracemalloc

import torch
from common import in_turns, record

from augsynth.blending.plan import EpochPlan
from augsynth.labels.classes import LabelSpec

N, PART = 1_000_000, 100_000


def main() -> None:
    classes = torch.arange(N) % 10
    labels = LabelSpec.of(0, classes.tolist())
    figures = {}
    for condition in ("match", "balance"):
        plan = EpochPlan(N, classes, labels, ratio=0.3, condition=condition, mode="replace", seed=0, epoch=0)

        def whole_epoch(plan=plan):
            for start in range(0, N, PART):
                plan.decide(torch.arange(start, start + PART))

        seconds = in_turns({"epoch": whole_epoch}, repeats=7)["epoch"]
        kept = sum(v.numel() * v.element_size() for v in vars(plan).values() if torch.is_tensor(v) and v is not classes)
        figures[condition] = {
            "ms for 100,000 positions": sorted(seconds)[len(seconds) // 2] / (N / PART) * 1e3,
            "bytes kept by the plan": kept,
        }
    tracemalloc.start()
    EpochPlan(N, classes, labels, ratio=0.3, condition="match", mode="replace", seed=0, epoch=1)
    figures["Python bytes allocated for a new epoch"] = tracemalloc.get_traced_memory()[1]
    record("plan", figures)


if __name__ == "__main__":
    main()
