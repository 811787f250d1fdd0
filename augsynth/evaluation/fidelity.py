"""How near the distribution of the samples is to that of real data, in a space of features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from augsynth._optional import import_optional, import_torchvision
from augsynth._rng_guard import seeded_globals
from augsynth.evaluation.feature_spaces import distances
from augsynth.evaluation.figures import Figure, Interval, auc, share, spread, wilson

NEIGHBOURS = 5
_STRAY_BEYOND = 0.95


class _Identity(torch.nn.Module):
    """Features that are features already, for metrics that expect an extractor."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.num_features = features

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Fréchet distance between normal distributions fitted to two sets of vectors (Heusel et al. 2017)."""
    metric = _torchmetrics("torchmetrics.image.fid").FrechetInceptionDistance(feature=_Identity(a.shape[1]))
    metric.set_dtype(torch.float64)
    return _computed(metric, a, b)


def kernel_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Squared maximum mean discrepancy with the kernel (x·y/d + 1)³ (Bińkowski et al. 2018), unbiased. All vectors are
    one subset, of the size of the smaller set: the data says what there is."""
    n = min(len(a), len(b))
    metric = _torchmetrics("torchmetrics.image.kid").KernelInceptionDistance(
        feature=_Identity(a.shape[1]), subsets=1, subset_size=n
    )
    metric.set_dtype(torch.float64)
    with seeded_globals(0):  # it permutes the rows by the global RNG
        return _computed(metric, a[:n], b[:n])


def _computed(metric: Any, a: np.ndarray, b: np.ndarray) -> float:
    metric.update(torch.from_numpy(a), real=True)
    metric.update(torch.from_numpy(b), real=False)
    value = metric.compute()
    return float(value[0] if isinstance(value, tuple) else value)


def _torchmetrics(module: str) -> Any:
    import_torchvision()  # torchmetrics imports it, and would die of a wheel that does not match
    return import_optional(module, extra="evaluate", purpose="distances between distributions")


def manifold(
    real_to_real: np.ndarray, real_to_made: np.ndarray, made_to_made: np.ndarray, k: int = NEIGHBOURS
) -> dict[str, float]:
    """Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020).

    Args:
        real_to_real, real_to_made, made_to_made: (r, r), (r, m) and (m, m) distances.
        k: neighbours that span a ball; 5 as in Naeem et al.
    """
    real_radii, made_radii = radii(real_to_real, k), radii(made_to_made, k)
    within = real_to_made < real_radii[:, None]
    return {
        "precision": float(within.any(0).mean()),
        "recall": float((real_to_made < made_radii[None]).any(1).mean()),
        "density": float(within.sum(0).mean() / k),
        "coverage": float((real_to_made.min(1) < real_radii).mean()),
    }


def radii(own: np.ndarray, k: int) -> np.ndarray:
    """(n,) distance of each of n vectors to its k-th nearest other, of their (n, n) distances."""
    return np.partition(own, k, axis=1)[:, k]  # one more, as the nearest is itself


def inside(real_to_real: np.ndarray, real_to_made: np.ndarray, k: int = NEIGHBOURS) -> np.ndarray:
    """(m,) bool: which vectors lie in the ball of a real one."""
    return np.any(real_to_made < radii(real_to_real, k)[:, None], axis=0)


_NOTES = {
    "precision": "share of the samples that lie among held-out ones (within the ball of five neighbours of one)",
    "recall": "share of the held-out samples that lie among the generated ones",
    "density": "in how many balls of held-out samples a generated one lies, over five",
    "coverage": "share of the held-out samples whose ball holds a generated one",
}


def measure_fidelity(
    name: str, made: np.ndarray, train: np.ndarray, held: np.ndarray, rows: list[np.ndarray]
) -> list[Figure]:
    """Distances and manifold figures of vectors in one space.

    Args:
        name: of the space.
        made, train, held: (m, d) each.
        rows: half-samples, for intervals.
    """
    n, figures = len(made), []

    def figure(label: str, of: Callable[[np.ndarray, np.ndarray], float], better: str, note: str) -> None:
        value, floor = of(held, made), of(held, train)
        about = spread(lambda part: of(held[part], made[part]), rows, value)
        about_floor = spread(lambda part: of(held[part], train[part]), rows, floor)
        if of is frechet_distance:  # which is never below 0
            about, about_floor = ((max(0.0, low), high) for low, high in (about, about_floor))
        figures.append(Figure(f"{label}[{name}]", value, about, floor, about_floor, n, better, note))

    fid = "fid" if name == "inception" else "frechet_distance"
    figure(fid, frechet_distance, "lower", "Fréchet distance to held-out samples; comparable at equal n only")
    kid = "kid" if name == "inception" else "kernel_distance"
    figure(
        kid,
        kernel_distance,
        "lower",
        "kernel distance (squared MMD) to held-out samples; unbiased, and hence below 0 at times",
    )

    figures += manifold_figures(name, made, train, held, rows)
    figures.append(two_sample(name, made, train, held))
    return figures


def manifold_figures(
    name: str, made: np.ndarray, train: np.ndarray, held: np.ndarray, rows: list[np.ndarray]
) -> list[Figure]:
    """Precision, recall, density, coverage and strays of vectors in one space. Arguments as of
    :func:`measure_fidelity`."""
    n, figures = len(made), []
    apart = {key: distances(held, other) for key, other in (("made", made), ("train", train), ("held", held))}
    own = {"made": distances(made, made), "train": distances(train, train)}

    def manifolds(which: str, part: np.ndarray) -> dict[str, float]:
        block = np.ix_(part, part)
        return manifold(apart["held"][block], apart[which][block], own[which][block])

    everything = np.arange(n)
    of_all = {which: manifolds(which, everything) for which in ("made", "train")}
    of_parts = {which: [manifolds(which, part) for part in rows] for which in ("made", "train")}
    for label, note in _NOTES.items():
        sides = []
        for which in ("made", "train"):
            values = iter([part[label] for part in of_parts[which]])
            value = of_all[which][label]
            about = spread(lambda _, v=values: next(v), rows, value)  # type: ignore[misc]
            sides.append((value, about if label == "density" else _of_share(value, about, n)))
        (value, about), (floor, about_floor) = sides
        figures.append(Figure(f"{label}[{name}]", value, about, floor, about_floor, n, "higher", note))
    far, near = stray(apart["made"], apart["train"]), stray(apart["train"], apart["train"])
    note = (
        f"share of the samples that are farther from every held-out one than {100 * _STRAY_BEYOND:.0f} % of training "
        "samples are; no outlier among those lets them in"
    )
    figures.append(Figure(f"strays[{name}]", *share(far), *share(near), n, "lower", note))
    return figures


def stray(held_to_made: np.ndarray, held_to_train: np.ndarray) -> np.ndarray:
    """(m,) bool: which samples are farther from every held-out one than nearly all training samples are.

    Args:
        held_to_made: (h, m) distances.
        held_to_train: (h, t) distances.
    """
    usual = float(np.quantile(held_to_train.min(0), _STRAY_BEYOND))
    far: np.ndarray = held_to_made.min(0) > usual
    return far


def _of_share(value: float, about: Interval, n: int) -> Interval:
    """The wider of the interval by half-samples and that of a share of n; the former is of no width at 0 and 1."""
    low, high = wilson(value * n, n)
    return max(0.0, min(low, about[0])), min(1.0, max(high, about[1]))


def two_sample(name: str, made: np.ndarray, train: np.ndarray, held: np.ndarray) -> Figure:
    """How well a classifier tells generated from held-out vectors (Lopez-Paz & Oquab 2017), by cross-validation."""

    def told(other: np.ndarray) -> tuple[float, tuple[float, float]]:
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import StratifiedKFold, cross_val_predict
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        x = np.concatenate([held, other])
        y = np.r_[np.zeros(len(held)), np.ones(len(other))]
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
        folds = StratifiedKFold(5, shuffle=True, random_state=0)  # the rows stand class by class
        scores = cross_val_predict(model, x, y, cv=folds, method="decision_function")
        return auc(scores[y == 1], scores[y == 0])

    value, about = told(made)
    floor, about_floor = told(train)
    note = "how well a linear classifier tells generated from held-out samples; 0.5 is by chance, 1 always"
    return Figure(f"two_sample_auc[{name}]", value, about, floor, about_floor, len(made), "near the floor", note)
