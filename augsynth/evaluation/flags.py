"""From figures to flags: what is plainly wrong with the samples, said only where the interval shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from augsynth.evaluation.figures import Figure, Interval, wilson

FLAGS = ("broken_promise", "copies", "collapsed", "unrealistic", "mislabelled")

# A flag needs an interval that excludes the floor, and besides a difference that matters: with thousands of samples,
# intervals exclude differences that no one would call by these names.
COPIED, COPIED_OF_FEW = 0.05, 0.5  # share of near copies
DISTINCT, DIVERSE, DIVERSE_CLASS = 0.25, 0.5, 0.2  # of the floor
REALISTIC = 0.5  # of the floor's density, or share
STRAY, STRAY_OF_FEW = 0.15, 0.5  # share of the samples
TOLD_APART, COVERED = 0.9, 0.75  # AUC; of the floor's coverage
AGREEMENT = 0.1  # below the floor's
FEW = 30  # distinct samples; fewer tell neither realism nor labels


@dataclass(frozen=True)
class Flag:
    """One thing that is wrong.

    Attributes:
        name: one of :data:`FLAGS`.
        reason: a sentence with the numbers.
    """

    name: str
    reason: str


def copies(found: Figure, near: np.ndarray, kept: np.ndarray) -> Flag | None:
    """More near copies than held-out samples have, and at least one sample in twenty; of a few distinct samples, most.

    Args:
        found: the figure ``near_copies``.
        near: (m,) bool: which samples are.
        kept: rows of distinct samples.
    """
    value, about = float(near[kept].mean()), wilson(near[kept].sum(), len(kept))
    least = COPIED if len(kept) >= FEW else COPIED_OF_FEW
    if about[0] > max(_high(found), least):
        return Flag(
            "copies",
            f"{_percent(value, about)} of the distinct samples lie as near to a training sample as "
            f"{_share(found.floor)} "
            "of held-out samples do",
        )
    return None


def collapsed(
    figures: Mapping[str, Figure], spaces: tuple[str, ...], per_class: list[dict[str, tuple[float, Interval]]]
) -> Flag | None:
    """Few distinct samples, or far less diversity than real classes have, in every space."""
    left = figures["distinct_share"]
    if left.floor is not None and left.interval[1] < DISTINCT * left.floor:
        return Flag(
            "collapsed",
            f"{_percent(left.value, left.interval)} of the samples are left when nearly identical ones are "
            f"counted once; of "
            f"training samples, {_share(left.floor)}",
        )
    overall = [figures[f"intra_class_diversity[{space}]"] for space in spaces]
    if all(one.interval[1] < DIVERSE * (one.floor_interval or (1.0, 1.0))[0] for one in overall):
        one = overall[0]
        return Flag(
            "collapsed",
            f"the samples of a class differ {_percent(one.value, one.interval)} as much as held-out ones do "
            f"({one.name})",
        )
    poor = [name for name in per_class[0] if all(own[name][1][1] < DIVERSE_CLASS for own in per_class if name in own)]
    if poor:
        return Flag("collapsed", f"the samples of {', '.join(poor)} are nearly identical")
    return None


def unrealistic(
    spaces: Sequence[str],
    figures: Mapping[str, Figure],
    plausible: Mapping[str, tuple[np.ndarray, np.ndarray]],
    kept: np.ndarray,
    *,
    varied: bool,
) -> Flag | None:
    """Samples lie where real ones do not, by figures that no outlier among the real samples can hold up.

    In any of the spaces: a density below half of the floor; or one sample in seven farther from all real ones than
    nearly any real one (of a few distinct samples, most); or a classifier tells them from real ones nearly always, and
    they leave a quarter of these uncovered. Or a measure of the kind of data finds half as many
    plausible.

    Args:
        spaces: names of the spaces that the figures are of.
        figures: name → figure.
        plausible: measure → (which generated, which real samples it takes for real ones), (m,) bool each.
        kept: rows of distinct generated samples: identical ones tell no more than one.
        varied: whether they are not collapsed; else that is why they cover little.
    """
    few = len(kept) < FEW
    for space in spaces:
        density, strays = figures[f"density[{space}]"], figures[f"strays[{space}]"]
        if strays.interval[0] > max(STRAY_OF_FEW if few else STRAY, _high(strays)):
            return Flag(
                "unrealistic",
                f"{_percent(strays.value, strays.interval)} of the samples are farther from every held-out one than "
                f"nearly all training samples are, and {_share(strays.floor)} of those (in the space of {space})",
            )
        if few:
            continue
        if density.interval[1] < REALISTIC * _low(density):
            return Flag(
                "unrealistic",
                f"the samples have {density.value:.2f} [{density.interval[0]:.2f}, {density.interval[1]:.2f}] of the "
                f"density of held-out ones around them, and training samples {density.floor:.2f} (in the space of "
                f"{space})",
            )
    if few:
        return None
    for space in spaces:
        told, covered = figures[f"two_sample_auc[{space}]"], figures[f"coverage[{space}]"]
        apart = told.interval[0] > max(TOLD_APART, _high(told))
        if varied and apart and covered.interval[1] < COVERED * _low(covered):
            return Flag(
                "unrealistic",
                f"a classifier tells them from held-out samples with an AUC of {told.value:.2f}, and "
                f"{_percent(covered.value, covered.interval)} of those have one nearby; training samples are near "
                f"{_share(covered.floor)} (in the space of {space})",
            )
    for measure, (made, real) in plausible.items():
        rows = kept[kept < len(made)]
        value, floor = float(made[rows].mean()), float(real.mean())
        about, about_floor = wilson(made[rows].sum(), len(rows)), wilson(real.sum(), len(real))
        if about[1] < REALISTIC * about_floor[0]:
            return Flag(
                "unrealistic",
                f"{_percent(value, about)} of the samples, and {_share(floor)} of real ones, are plausible to "
                f"{measure}",
            )
    return None


def mislabelled(correct: np.ndarray, held: np.ndarray, realistic: np.ndarray, kept: np.ndarray) -> Flag | None:
    """The classifier takes far fewer samples for the class asked for than it does held-out ones for their own.

    Args:
        correct, held: (m,) bool: whether it agrees, for generated and for held-out samples.
        realistic: (m,) bool: which generated samples lie among real ones; on others its word means little.
        kept: rows of distinct generated samples.
    """
    rows = kept[realistic[kept]]
    if len(rows) < FEW:
        return None
    about, about_floor = wilson(correct[rows].sum(), len(rows)), wilson(held.sum(), len(held))
    value, floor = float(correct[rows].mean()), float(held.mean())
    if about[1] < about_floor[0] and about[1] < floor - AGREEMENT:
        return Flag(
            "mislabelled",
            f"a classifier fitted on real data takes {_percent(value, about)} of the realistic samples for the "
            f"class that was "
            f"asked for, and {_share(floor)} of held-out ones for their own",
        )
    return None


def _low(figure: Figure) -> float:
    return figure.floor_interval[0] if figure.floor_interval is not None else figure.floor or 0.0


def _high(figure: Figure) -> float:
    return figure.floor_interval[1] if figure.floor_interval is not None else figure.floor or 0.0


def _share(value: float | None) -> str:
    return f"{100 * (value or 0.0):.1f} %"


def _percent(value: float, about: Interval) -> str:
    return f"{100 * value:.1f} % [{100 * max(0.0, about[0]):.1f}, {100 * about[1]:.1f}]"
