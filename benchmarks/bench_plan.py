"""Planning the blend of an epoch of a million samples: time for 100,000 positions and for a batch, memory that is kept;
and for a batch of an epoch of 200,000, whose decisions are kept in a table."""

from __future__ import annotations

import statistics
import tracemalloc

import torch
from common import in_turns, record

from augsynth.blending.plan import EpochPlan
from augsynth.labels.classes import LabelSpec

N, SMALL, PART, BATCH = 1_000_000, 200_000, 100_000, 256


def for_a_batch(plan: EpochPlan) -> float:
    """Microseconds for the decisions of a shuffled batch."""
    some = torch.randperm(len(plan))[:BATCH]

    def thousand() -> None:
        for _ in range(1000):
            plan.decide(some)

    return statistics.median(in_turns({"": thousand}, repeats=7)[""]) * 1e3


def main() -> None:
    classes = torch.arange(N) % 10
    labels, small = (LabelSpec.of(0, classes[:n].tolist()) for n in (N, SMALL))
    figures = {}
    for condition in ("match", "balance"):
        plan = EpochPlan(N, classes, labels, ratio=0.3, condition=condition, mode="replace", seed=0, epoch=0)

        def whole_epoch(plan=plan):
            for start in range(0, N, PART):
                plan.decide(torch.arange(start, start + PART))

        seconds = in_turns({"epoch": whole_epoch}, repeats=7)["epoch"]
        kept = sum(v.numel() * v.element_size() for v in vars(plan).values() if torch.is_tensor(v) and v is not classes)
        figures[condition] = {
            "us for a batch of 256": for_a_batch(plan),
            "us for a batch of 256, in a table": for_a_batch(
                EpochPlan(
                    SMALL, classes[:SMALL], small, ratio=0.3, condition=condition, mode="replace", seed=0, epoch=0
                )
            ),
            "ms for 100,000 positions": sorted(seconds)[len(seconds) // 2] / (N / PART) * 1e3,
            "bytes kept by the plan": kept,
        }
    tracemalloc.start()
    EpochPlan(N, classes, labels, ratio=0.3, condition="match", mode="replace", seed=0, epoch=1)
    figures["Python bytes allocated for a new epoch"] = tracemalloc.get_traced_memory()[1]
    record("plan", figures)


if __name__ == "__main__":
    main()
