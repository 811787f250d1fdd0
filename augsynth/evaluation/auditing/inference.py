"""Attribute inference: what generated samples tell of a training sample whose other values are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from augsynth.evaluation.figures import Interval, difference
from augsynth.evaluation.inputs import Samples
from augsynth.recognition import modality_of

LABEL = "(label)"


@dataclass(frozen=True)
class Inference:
    """How well one value of a sample is guessed from its others, with the help of generated samples.

    Attributes:
        name: of the value.
        right: share of the members of which it is guessed rightly.
        others: share of the non-members: what is to be learnt of anybody, and no leak.
        more: ``right`` less ``others``.
        interval: of ``more``, at 95 % over all values together (Newcombe 1998, Bonferroni).
    """

    name: str
    right: float
    others: float
    more: float
    interval: Interval

    @property
    def leaks(self) -> bool:
        """Whether more is told of members than of others, beyond chance."""
        return self.interval[0] > 0.0


def attributes_told(spec: Any, candidates: Samples, members: int, made: Samples, extract: Any) -> dict[str, Inference]:
    """What generated samples tell of single values, and of the label, of kinds of data that have such.

    Args:
        candidates: members, then others.
        members: how many they are.
        made: generated samples.
        extract: samples as generators see them → (n, d), in which nearness to all of a sample is measured.
    """
    every = Samples.of(spec, candidates, made)
    classes = None if every.classes is None else every.classes.numpy()

    def parts() -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
        some = False
        for part in modality_of(spec).attributes(spec, every.x):
            some = True
            yield part
        if some and classes is not None:
            yield LABEL, extract(every.x), classes

    return inferred(parts(), classes, members, len(candidates) - members)


def inferred(
    parts: Iterable[tuple[str, np.ndarray, np.ndarray]],
    classes: np.ndarray | None,
    members: int,
    others: int,
) -> dict[str, Inference]:
    """Guess each value as that of the generated sample, of the same class, that is nearest in all the other values
    (Giomi et al., "A unified framework for quantifying privacy risk in synthetic data", 2023).

    Args:
        parts: for each value, its name, the others (n, d), and the value itself (n,), of members, non-members and
            generated samples, one after another.
        classes: (n,) of all of them, or None. They are known to the attacker, but where they are what is guessed.
        members: how many of the first samples are members.
        others: how many after them are not.
    """
    candidates = members + others
    found: list[tuple[str, np.ndarray]] = []
    for name, known, value in parts:
        groups = np.zeros(len(known)) if classes is None or name == LABEL else classes
        nearest = _nearest(known, groups, candidates)
        found.append((name, (value[:candidates] == value[candidates:][nearest]) & (nearest >= 0)))
    z = NormalDist().inv_cdf(1.0 - 0.025 / max(1, len(found)))
    made = {}
    for name, right in found:
        ours, theirs = right[:members], right[members:]
        low, high = difference(int(ours.sum()), members, int(theirs.sum()), others, z)
        a, b = float(ours.mean()), float(theirs.mean())
        made[name] = Inference(name, a, b, a - b, (low, high))
    return made


def sentence(found: Mapping[str, Inference]) -> str:
    """What of it belongs into a verdict; empty where there is nothing."""
    leaking = [one for one in found.values() if one.leaks]
    if not leaking:
        return ""
    worst = max(leaking, key=lambda one: one.interval[0])
    low, high = (100 * end for end in worst.interval)
    return (
        f" Who knows the rest of a training sample guesses {worst.name!r} rightly {100 * worst.more:.1f} points "
        f"[{low:.1f}, {high:.1f}] more often than of other samples."
    )


def _nearest(known: np.ndarray, groups: np.ndarray, candidates: int) -> np.ndarray:
    """(candidates,) position, among those after the candidates, of the nearest of the same group; -1 where there is
    none."""
    from sklearn.neighbors import NearestNeighbors

    found = np.full(candidates, -1)
    own, theirs = groups[:candidates], groups[candidates:]
    for group in np.unique(own):
        rows, columns = np.flatnonzero(own == group), np.flatnonzero(theirs == group)
        if len(columns):
            index = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(known[candidates:][columns])
            found[rows] = columns[index.kneighbors(known[rows], return_distance=False)[:, 0]]
    return found
