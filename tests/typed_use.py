"""What a user writes, for strict type checkers: mypy and pyright look at it, nothing runs it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

import augsynth


class Mine(Dataset[tuple[Tensor, int]]):
    def __len__(self) -> int:
        return 60

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return torch.rand(1, 8, 8), index % 2


def train() -> str:
    gen = augsynth.fit("vae", Mine(), steps=20)
    blended = augsynth.SyntheticDataset(Mine(), gen, ratio={0: 0.5}, seed=0, mode="vary")
    for epoch in range(3):
        blended.set_epoch(epoch)
        for _x, _y in DataLoader(blended, batch_size=8):
            pass
    batch: augsynth.SampleBatch = gen.sample(4, labels=1, seed=0)
    found: augsynth.Uplift = augsynth.uplift(Mine(), Mine(), gen, seeds=3)
    gen.save("vae")
    again: augsynth.Generator = augsynth.load("vae")
    verdict: augsynth.Evaluation = augsynth.evaluate(again, Mine(), Mine())
    share: float = verdict["near_copies"].value
    return f"{found.sentence} {share} {len(batch)}"


class Loud(augsynth.authoring.Transform):
    def apply(self, image: Tensor, seed: int) -> Tensor:
        return image


def log(step: int, losses: dict[str, float]) -> None:
    print(step, losses)
