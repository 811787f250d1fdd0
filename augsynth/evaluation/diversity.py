"""Whether the samples of a class differ as much as real ones do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from augsynth.evaluation.figures import Figure, Interval, spread, wilson


@dataclass(frozen=True)
class Diversity:
    """Diversity in one space.

    Attributes:
        figure: mean over the classes of the mean distance within a class, over that of held-out samples.
        per_class: class → (ratio, its interval).
    """

    figure: Figure
    per_class: dict[str, tuple[float, Interval]]


def measure_diversity(
    name: str,
    own: dict[str, np.ndarray],
    classes: np.ndarray,
    names: list[str],
    rows: list[np.ndarray],
) -> Diversity:
    """Mean distance of pairs within a class, as a ratio to that of held-out samples.

    Args:
        name: of the space.
        own: ``"made"``, ``"train"`` and ``"held"`` → (m, m) distances among the samples of each.
        classes: (m,) class of each sample, in all three alike.
        names: of the classes.
        rows: half-samples.
    """

    def within(which: str, c: int, part: np.ndarray) -> float:
        members = part[classes[part] == c]
        if len(members) < 2:
            return np.nan
        block = own[which][np.ix_(members, members)]
        return float(block.sum() / (len(members) * (len(members) - 1)))

    def ratio(which: str, c: int, part: np.ndarray) -> float:
        real = within("held", c, part)
        return within(which, c, part) / real if real > 0 else np.nan

    everything = np.arange(len(classes))
    usable = [c for c in range(len(names)) if np.isfinite(ratio("made", c, everything))]

    def mean(which: str, part: np.ndarray) -> float:
        return float(np.nanmean([ratio(which, c, part) for c in usable])) if usable else np.nan

    value, floor = mean("made", everything), mean("train", everything)
    about = spread(lambda part: mean("made", part), rows, value)
    about_floor = spread(lambda part: mean("train", part), rows, floor)
    per_class = {}
    for c in usable:
        one = ratio("made", c, everything)
        parts = [part for part in rows if np.isfinite(ratio("made", c, part))]
        per_class[names[c]] = (one, spread(partial(ratio, "made", c), parts, one) if parts else (0.0, np.inf))
    note = "mean distance of two samples of a class, over that of two held-out ones; 0 is a class of one sample"
    figure = Figure(
        f"intra_class_diversity[{name}]", value, about, floor, about_floor, len(classes), "near the floor", note
    )
    return Diversity(figure, per_class)


def distinct(own: np.ndarray, closest_real: float) -> np.ndarray:
    """Rows of one sample of each group that is nearly identical: linked by less than ``closest_real``, half the
    distance at which the nearest real samples are."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    _, groups = connected_components(csr_matrix(own <= closest_real), directed=False)
    return np.unique(groups, return_index=True)[1]


def closest_pairs(own: np.ndarray) -> float:
    """Half the distance that only one real sample in a hundred has to its nearest other."""
    apart = own.copy()
    np.fill_diagonal(apart, np.inf)
    return float(np.quantile(apart.min(1), 0.01)) / 2


def distinct_share(made: np.ndarray, train: np.ndarray, closest: float) -> tuple[Figure, np.ndarray]:
    """Share of the samples that are not nearly identical to an earlier one; and the rows of those."""
    kept, kept_train = distinct(made, closest), distinct(train, closest)
    n = len(made)
    note = "share of the samples left when nearly identical ones are counted once"
    figure = Figure(
        "distinct_share",
        len(kept) / n,
        wilson(len(kept), n),
        len(kept_train) / n,
        wilson(len(kept_train), n),
        n,
        "higher",
        note,
    )
    return figure, kept
