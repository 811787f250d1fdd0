"""Real samples without labels as an arm of a comparison: often the better buy, and then the tool says so."""

from __future__ import annotations

from typing import Any

from augsynth.annotating.annotate import annotate
from augsynth.annotating.annotation import Annotation
from augsynth.utility.arms import CLASSIC, REAL, with_classic
from augsynth.utility.comparison import compare
from augsynth.utility.result import Uplift


class PseudoLabels:
    """Labels for real samples that have none, from a judge that is fitted on the training set alone.

    Args:
        real: the training set.
        unlabelled: real samples of the same form; labels are not read.
        precision, seed, device: as of :func:`augsynth.annotate`.
        classic: as of the standard arms.

    Attributes:
        annotation: what was given a label.
        name: of the arm; with classic augmentation where the others have it.
    """

    def __init__(
        self, real: Any, unlabelled: Any, *, precision: float, seed: int, device: str, classic: Any = None
    ) -> None:
        self.annotation: Annotation = annotate(
            unlabelled, real, precision=precision, seed=seed, device=device, progress=False
        )
        self.name = f"{REAL if classic is None else CLASSIC} + pseudo-labels"
        self._added = self.annotation.added_to(real)
        self._classic = classic

    def arm(self, seed: int) -> Any:
        """What a seed trains on."""
        return self._added if self._classic is None else with_classic(self._added, self._classic, seed)

    def told(self, found: Uplift) -> str:
        """What came of it beside the candidate: a sentence."""
        given, of = len(self.annotation.accepted), len(self.annotation.labels)
        if not given:
            return f"Of {of:,} real samples without labels none could be given one surely enough."
        own, other = found.arms[self.name], found.arms[found.candidate]
        gain = (
            ""
            if own.gain is None
            else " gained {:+.2f} percentage points [{:+.2f}, {:+.2f}] and".format(*(100 * one for one in own.gain))
        )
        against = compare(other.scores, own.scores, what="", metric=found.metric, level=0.95)
        verdict = {
            "helps": "were the better buy",
            "hurts": "were worth less",
            "no difference": "were worth as much, as far as this can tell",
        }[against.word]
        low, high = (100 * one for one in against.interval)
        return (
            f"Labels from a judge for {given:,} of {of:,} real samples without any{gain} {verdict}: "
            f"{100 * against.difference:+.2f} [{low:+.2f}, {high:+.2f}] against “{found.candidate}”."
        )
