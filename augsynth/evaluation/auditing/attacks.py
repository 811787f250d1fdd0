"""How much a sample looks like one that the generator was fitted on: higher is more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from augsynth.evaluation.feature_spaces import distances
from augsynth.evaluation.inputs import Samples

_TINY = 1e-12


def by_generated(candidates: Samples, made: Samples, extract: Any) -> dict[str, np.ndarray]:
    """Scores (n,) of candidates by how near generated samples of their class lie.

    ``nearest``: by the nearest (Chen et al., "GAN-Leaks", 2020). ``density``: by a kernel density (Hilprecht et al.
    2019), its width the median distance to the nearest.

    Args:
        candidates: n samples.
        made: generated ones.
        extract: samples as generators see them → (k, d).
    """
    vectors, others = extract(candidates.x), extract(made.x)
    found = {name: np.zeros(len(candidates)) for name in ("nearest", "density")}
    known = candidates.classes is not None and made.classes is not None
    groups = np.zeros(len(candidates)) if not known else candidates.classes.numpy()  # type: ignore[union-attr]
    theirs = np.zeros(len(made)) if not known else made.classes.numpy()  # type: ignore[union-attr]
    for group in np.unique(groups):
        rows, columns = np.flatnonzero(groups == group), np.flatnonzero(theirs == group)
        apart = distances(vectors[rows], others[columns])
        nearest = apart.min(1)
        width = max(float(np.median(nearest)), _TINY)
        found["nearest"][rows] = -nearest
        found["density"][rows] = np.log(np.exp(-0.5 * (apart / width) ** 2).mean(1) + _TINY)
    return found


def by_density(gen: Any, x: Any, labels: Sequence[Any] | None) -> dict[str, np.ndarray]:
    """Scores by the generator's own log-density, where it has one (Yeom et al. 2018)."""
    if "log_prob" not in getattr(gen, "capabilities", ()):
        return {}
    return {"log_prob": np.asarray(gen.log_prob(x, labels).cpu(), dtype=np.float64)}


def calibrated(
    scores: Mapping[str, np.ndarray], references: Sequence[Mapping[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Scores less those by generators that were fitted without the candidates, so that what is easy for any generator
    counts for nothing (Watson et al. 2022; in the spirit of LiRA, Carlini et al. 2022)."""
    if not references:
        return dict(scores)
    shared = [name for name in scores if all(name in one for one in references)]
    return {f"{name}, calibrated": scores[name] - np.mean([one[name] for one in references], axis=0) for name in shared}
