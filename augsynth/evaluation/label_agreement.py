"""Whether a sample carries the label that was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from augsynth.evaluation.figures import Figure, Interval, share


@dataclass(frozen=True)
class Labels:
    """Requested against predicted labels.

    Attributes:
        figures: agreement, and the share of unlikely labels.
        confusion: (classes, classes) samples requested (row) as and taken (column) for a class.
        held_confusion: the same for held-out samples and their true labels.
        per_class: class → (agreement, its interval, that of held-out samples).
        unlikely: positions of the samples whose label is least likely, the worst first.
    """

    figures: list[Figure]
    confusion: list[list[int]]
    held_confusion: list[list[int]]
    per_class: dict[str, tuple[float, Interval, float]]
    unlikely: list[int]


def measure_labels(
    made: np.ndarray, made_classes: np.ndarray, held: np.ndarray, held_classes: np.ndarray, names: list[str], judge: str
) -> Labels:
    """Compare what a classifier fitted on real data says with what was asked for.

    Args:
        made, held: (m, classes) probabilities for the generated and the held-out samples.
        made_classes, held_classes: (m,) requested, and true classes.
        names: of the classes.
        judge: name of the classifier.
    """
    from sklearn.metrics import confusion_matrix

    n, every = len(made), list(range(len(names)))
    agreement, about = share(made.argmax(1) == made_classes)
    floor, about_floor = share(held.argmax(1) == held_classes)
    note = "share of the samples that a classifier fitted on real data takes for the class asked for"
    figures = [Figure(f"label_agreement[{judge}]", agreement, about, floor, about_floor, n, "higher", note)]
    doubtful, doubtful_held = (
        _unlikely(p, y, held, held_classes) for p, y in ((made, made_classes), (held, held_classes))
    )
    value, about = share(doubtful)
    floor, about_floor = share(doubtful_held)
    note = (
        "share of the samples for whose label the classifier has less confidence than for another, each measured by "
        "what it has on average for true members (confident learning, Northcutt et al. 2021)"
    )
    figures.append(Figure(f"unlikely_labels[{judge}]", value, about, floor, about_floor, n, "lower", note))
    per_class = {}
    for c in every:
        own = made_classes == c
        one, about = share(made[own].argmax(1) == c)
        per_class[names[c]] = (one, about, share(held[held_classes == c].argmax(1) == c)[0])
    confusions = [
        confusion_matrix(y, p.argmax(1), labels=every).tolist() for p, y in ((made, made_classes), (held, held_classes))
    ]
    worst = np.argsort(made[np.arange(n), made_classes], kind="stable")[:12]
    return Labels(figures, confusions[0], confusions[1], per_class, [int(i) for i in worst])


def _unlikely(p: np.ndarray, y: np.ndarray, held: np.ndarray, held_classes: np.ndarray) -> Any:
    """(n,) bool by the thresholds of confident learning, taken from the held-out samples."""
    classes = p.shape[1]
    thresholds = np.array(
        [held[held_classes == c, c].mean() if (held_classes == c).any() else 1.0 for c in range(classes)]
    )
    above = np.where(p >= thresholds, p, -1.0)
    return (above.max(1) >= 0) & (above.argmax(1) != y)
