"""What came of a recipe."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from augsynth._version import __version__
from augsynth.generator.generator import Generator
from augsynth.recipe.keys import Recipe
from augsynth.recipe.sets import Sets
from augsynth.utility.result import Uplift

RAREST = 3
"""Classes of a long tail that are told of by themselves."""


@dataclass
class Outcome:
    """What came of a recipe.

    Attributes:
        recipe: what was run.
        folder: where everything is.
        sets: the data.
        generator: of the first draw.
        uplift: the verdict, or None.
        evaluation: sentence and flags of the judgement of the samples, or None.
        rarest: arm → mean, low and high of its gain on the rarest classes, for a long tail.
        classic: name of the classic augmentation.
        prepared: what preparation took out, for people.
        skipped: stages that were done already.
        seconds: of each stage.
        gone: positions of the samples that preparation took out, or None.
    """

    recipe: Recipe
    folder: Path
    sets: Sets
    generator: Generator
    uplift: Uplift | None = None
    evaluation: dict[str, Any] | None = None
    rarest: dict[str, dict[str, Any]] = field(default_factory=dict)
    classic: str = "none"
    prepared: str | None = None
    skipped: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    gone: Tensor | None = None

    @property
    def counts(self) -> dict[str, int]:
        """Training samples of each class in the first draw, less those that were taken out."""
        rows = self.sets.chosen(0, self.gone)
        counts = torch.bincount(self.sets.classes[rows], minlength=len(self.sets.names))
        return dict(zip(self.sets.names, counts.tolist(), strict=True))

    @property
    def sentence(self) -> str:
        """All verdicts for people."""
        told = [self.gain] if self.uplift is not None else []
        if self.evaluation is not None:
            told.append(str(self.evaluation["sentence"]))
        return " ".join(told)

    @property
    def gain(self) -> str:
        """What training gains, for people; empty where that was not asked."""
        told = [self.uplift.sentence] if self.uplift is not None else []
        candidate = None if self.uplift is None else self.rarest.get(self.uplift.candidate)
        if candidate is not None and candidate["gain"] is not None:
            gain = "{:+.2f} [{:+.2f}, {:+.2f}]".format(*(100 * one for one in candidate["gain"]))
            told.append(f"On the {RAREST} rarest classes of each draw: {gain}.")
        return " ".join(told)

    def to_json(self) -> dict[str, Any]:
        """Every number, as plain data."""
        return {
            "recipe": asdict(self.recipe),
            "sentence": self.sentence,
            "uplift": None if self.uplift is None else self.uplift.to_json(),
            "evaluation": self.evaluation,
            "rarest classes": self.rarest,
            "classic": self.classic,
            "preparation": self.prepared,
            "training samples of each class": self.counts,
            "test samples": len(self.sets.test_data),
            "generator": {"plugin": self.generator.plugin, "config": self.generator.config},
            "seconds": self.seconds,
            "versions": versions(),
        }


def versions() -> dict[str, str]:
    """What the figures were made with."""
    return {"augsynth": __version__, "torch": version("torch"), "python": platform.python_version()}
