"""Whether the samples are copies of training samples, held against held-out ones. A pass is no proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from augsynth.evaluation.auditing.attacks import by_density
from augsynth.evaluation.feature_spaces import distances
from augsynth.evaluation.figures import Figure, auc, share, spread

_TINY = 1e-9
_SAME = 1e-5  # of the usual distance to the nearest: what rounding leaves between two equal samples
_CLOSEST = 12


@dataclass(frozen=True)
class Pair:
    """A generated sample and the training sample nearest to it.

    Attributes:
        sample: position among the generated samples that were compared.
        train: position in the training set.
        distance: between the two.
        ratio: that distance over the one to the nearest held-out sample: far below 1 is a copy.
    """

    sample: int
    train: int
    distance: float
    ratio: float


@dataclass(frozen=True)
class Memorisation:
    """Figures, the pairs that look most like copies, and which samples are near copies, (m,) bool."""

    figures: list[Figure]
    pairs: list[Pair]
    near: np.ndarray


def nearest_ratio(to_train: np.ndarray, to_held: np.ndarray) -> np.ndarray:
    """(n,) distance to the nearest training sample over that to the nearest held-out one."""
    made: np.ndarray = (to_train.min(1) + _TINY) / (to_held.min(1) + _TINY)
    return made


def measure_memorisation(made: Any, train: Any, held: Any, all_train: Any, rows: list[np.ndarray]) -> Memorisation:
    """Compare how near generated samples are to the training set with how near held-out ones are.

    Args:
        made, train, held: vectors (m, d) of the generated, of as many training and as many held-out samples.
        all_train: vectors of the whole training set.
        rows: half-samples.
    """
    n = made.shape[0]
    made_train, held_train = distances(made, all_train), distances(held, all_train)
    held_held = distances(held, held)
    np.fill_diagonal(held_held, np.inf)
    ratio = nearest_ratio(made_train, distances(made, held))
    floor = nearest_ratio(held_train, held_held)
    threshold = float(np.quantile(floor, 0.01))
    copied, about = share(ratio <= threshold)
    expected, about_floor = share(floor <= threshold)
    figures = [
        Figure(
            "near_copies",
            copied,
            about,
            expected,
            about_floor,
            n,
            "lower",
            "share of the samples that are nearer to a training sample, relative to the nearest held-out one, than "
            "99 % of held-out samples are",
        )
    ]

    def median(values: np.ndarray, part: np.ndarray) -> float:
        return float(np.median(values[part]))

    whole = np.arange(n)
    figures.append(
        Figure(
            "nearest_neighbour_ratio",
            median(ratio, whole),
            spread(lambda part: median(ratio, part), rows, median(ratio, whole)),
            median(floor, whole),
            spread(lambda part: median(floor, part), rows, median(floor, whole)),
            n,
            "near the floor",
            "median over the samples of the distance to the nearest training sample over that to the nearest held-out "
            "one; the whole training set is searched, so that it is below 1 for real data, too, where that is larger",
        )
    )
    same = _SAME * float(np.median(held_held.min(1)))
    exact, about = share(made_train.min(1) <= same)
    exact_floor, about_floor = share(held_train.min(1) <= same)
    note = "share of the samples that are the same as a training sample"
    figures.append(Figure("exact_copies", exact, about, exact_floor, about_floor, n, "lower", note))

    # members are the training samples that were compared, others the held-out ones, as many of each class
    members, others = -distances(train, made).min(1), -distances(held, made).min(1)
    value, about = auc(members, others)
    note = (
        "how well the distance to the nearest generated sample tells training from held-out samples (a distance "
        "attack, "
        "Chen et al. 2020); 0.5 is by chance"
    )
    figures.append(Figure("membership_auc[distance]", value, about, 0.5, None, n, "near the floor", note))

    order = np.argsort(ratio, kind="stable")[:_CLOSEST]
    nearest = made_train.argmin(1)
    pairs = [Pair(int(i), int(nearest[i]), float(made_train[i].min()), float(ratio[i])) for i in order]
    return Memorisation(figures, pairs, ratio <= threshold)


def likelihood_attack(gen: Any, train: Any, held: Any) -> Figure | None:
    """How well the generator's own log-density tells training from held-out samples (Yeom et al. 2018); None for
    generators without one.

    Args:
        gen: a generator.
        train, held: (inputs as the dataset yields them, their labels or None), as many of each.
    """
    members, others = (by_density(gen, *one).get("log_prob") for one in (train, held))
    if members is None or others is None:
        return None
    value, about = auc(members, others)
    note = "how well the generator's log-density tells training from held-out samples; 0.5 is by chance"
    return Figure("membership_auc[log_prob]", value, about, 0.5, None, len(members), "near the floor", note)
