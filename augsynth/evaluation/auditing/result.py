"""What an audit found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from augsynth.evaluation.auditing.inference import Inference, sentence
from augsynth.evaluation.figures import Interval
from augsynth.utility.result import write_json


@dataclass(frozen=True)
class Attack:
    """How well one score tells members from others.

    Attributes:
        name: of the score.
        auc: area under the ROC curve, with its 95 % interval; 0.5 is by chance.
        caught: share of the members that score above 99 % of the others (TPR at 1 % FPR, Carlini et al. 2022), with its
            95 % interval; 0.01 is by chance.
        exposure: median over the members of log2 of how many others there are for each that scores higher (Carlini et
            al. 2019); 1 is by chance.
        epsilon: the largest ε that this attack refutes.
    """

    name: str
    auc: float
    auc_interval: Interval
    caught: float
    caught_interval: Interval
    exposure: float
    epsilon: float


@dataclass(frozen=True)
class Audit:
    """The verdict of :func:`augsynth.audit`.

    Attributes:
        sentence: the verdict for people.
        attacks: by name.
        epsilon: lower bound on ε, whatever was promised: smaller ones are refuted.
        confidence: of that bound, over all attacks together.
        delta: at which it is meant.
        claimed: ε that the generator's fit promised, or None.
        violated: whether the bound is above the claim.
        candidates: samples whose membership was guessed.
        settings: everything that was set.
        attributes: what is told of single values of a training sample, by name; of kinds of data that have such.
    """

    sentence: str
    attacks: Mapping[str, Attack]
    epsilon: float
    confidence: float
    delta: float
    claimed: float | None
    violated: bool
    candidates: int
    settings: Mapping[str, Any]
    attributes: Mapping[str, Inference] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Every number, as plain data."""
        attacks = {name: asdict(one) for name, one in self.attacks.items()}
        attributes = {name: asdict(one) for name, one in self.attributes.items()}
        return {**vars(self), "attacks": attacks, "attributes": attributes}

    def save(self, folder: str | Path) -> Path:
        """Write ``audit.json`` into ``folder``; returns its path."""
        file = Path(folder) / "audit.json"
        write_json(file, self.to_json())
        return file

    def __str__(self) -> str:
        rows = [
            f"  {one.name:<22} AUC {one.auc:.3f} [{one.auc_interval[0]:.3f}, {one.auc_interval[1]:.3f}]   "
            f"caught at 1 % false alarms {100 * one.caught:.1f} %   exposure {one.exposure:.1f} bits"
            for one in self.attacks.values()
        ]
        rows += [
            f"  {one.name:<22} guessed rightly of {100 * one.right:.1f} % of the members, {100 * one.others:.1f} % of "
            f"others: {100 * one.more:+.1f} points [{100 * one.interval[0]:+.1f}, {100 * one.interval[1]:+.1f}]"
            for one in self.attributes.values()
        ]
        return "\n".join([self.sentence, *rows])


def with_attributes(found: Audit, told: Mapping[str, Inference]) -> Audit:
    """An audit with what is told of single values, in the sentence, too, where that is a leak."""
    return replace(found, attributes=told, sentence=found.sentence + sentence(told))
