"""What came of it: labels, and what a person has to look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import ConcatDataset, Dataset

from augsynth.annotating.calibration import Threshold
from augsynth.errors import MissingDependencyError
from augsynth.sample_files import write_rows


class Labelled(Dataset[Any]):
    """Inputs with the labels that they were given."""

    def __init__(self, inputs: Any, targets: list[Any]) -> None:
        self.inputs, self.targets = inputs, targets

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self.inputs[index], self.targets[index]


@dataclass(frozen=True)
class Annotation:
    """Labels for n samples that had none.

    Attributes:
        labels: n labels, None where the judge keeps back.
        guesses: n labels, what it would say if it had to.
        confidence: (n,) calibrated probability of each guess.
        threshold: from what confidence on labels are given, and what that was chosen by.
        precision, assurance: as they were asked for.
        temperature: of the calibration; above 1 the judge was too sure of itself.
        judge: its name.
        fingerprint: sixteen hex digits that identify the samples.
    """

    labels: list[Any]
    guesses: list[Any]
    confidence: np.ndarray
    threshold: Threshold
    precision: float
    assurance: float
    temperature: float
    judge: str
    spec: Any = field(repr=False)
    raw: Any = field(repr=False)
    target: Any = field(repr=False)
    fingerprint: str = field(default="", repr=False)

    @property
    def accepted(self) -> list[int]:
        """Positions of the samples that were given a label."""
        return [i for i, label in enumerate(self.labels) if label is not None]

    @property
    def abstained(self) -> list[int]:
        """Positions of the others, the least sure first: for a person."""
        kept = [i for i, label in enumerate(self.labels) if label is None]
        return sorted(kept, key=lambda i: float(self.confidence[i]))

    def dataset(self) -> Labelled:
        """The samples that were given a label, with it, in the form that the labelled ones have."""
        own = self.accepted
        inputs = self.spec.yielded(self.raw[own])
        return Labelled(inputs, self.target.yielded_many([self.target.index(self.labels[i]) for i in own]))

    def added_to(self, labelled: Any) -> Dataset[Any]:
        """The labelled samples, and after them those that were given a label: an arm for :func:`augsynth.uplift`."""
        return ConcatDataset([labelled, self.dataset()])

    def save(self, folder: str | Path) -> Path:
        """Write ``annotation.csv``, a row for each sample, those without a label first, and with the extra ``report``
        ``annotation.html``. Returns the page, or the table where there is none."""
        from augsynth.recognition import modality_of
        from augsynth.report.pages import annotation_page

        folder = Path(folder)
        lines = modality_of(self.spec).lines(self.spec, self.spec.raw_to_model(self.raw))
        rows = [
            {
                "position": i,
                "label": "" if self.labels[i] is None else self.labels[i],
                "guess": self.guesses[i],
                "confidence": f"{self.confidence[i]:.4f}",
                "sample": lines[i] if i < len(lines) else "",
            }
            for i in [*self.abstained, *self.accepted]
        ]
        write_rows(rows, folder / "annotation.csv")
        try:
            return annotation_page(self, folder / "annotation.html")
        except MissingDependencyError:
            return folder / "annotation.csv"

    @property
    def sentence(self) -> str:
        """What came of it, for people."""
        n, given, found = len(self.labels), len(self.accepted), self.threshold
        if not found.of:
            return (
                f"No label is given: on held-out labelled samples {self.judge} is nowhere right in "
                f"{self.precision:.0%} of the cases with an assurance of {self.assurance:.0%}. Label more, or ask for "
                "less."
            )
        return (
            f"{given:,} of {n:,} samples are given a label, {n - given:,} are left to a person. Of {found.of} held-out "
            f"labelled samples that {self.judge} was as sure of, {found.right} were right: {found.low:.1%} or more, "
            f"with an assurance of {self.assurance:.0%}."
        )

    def __str__(self) -> str:
        return self.sentence
