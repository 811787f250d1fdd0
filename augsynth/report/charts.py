"""Charts of the reports, as data URLs."""

from __future__ import annotations

from typing import Any

import numpy as np

from augsynth._optional import import_optional
from augsynth.report.render import embedded

REAL, HELD, MADE, GOOD, BAD = "#5b6770", "#9aa5ab", "#d1495b", "#2a7f62", "#c0392b"
_ARMS = ("#5b6770", "#30638e", "#d1495b", "#2a7f62", "#8e5ea2", "#e09f3e", "#7a6c5d", "#00798c")


def gains(found: Any) -> str:
    """Gain of each arm over the baseline, with its interval."""
    rows = [(name, arm.gain) for name, arm in found.arms.items() if arm.gain is not None][::-1]
    figure, axes = _figure(7, 0.55 * len(rows) + 0.9)
    for i, (name, (mean, low, high)) in enumerate(rows):
        color = GOOD if low > 0 else BAD if high < 0 else REAL
        axes.plot([100 * low, 100 * high], [i, i], color=color, linewidth=2.5, solid_capstyle="round")
        axes.plot([100 * mean], [i], "o", color=color, markersize=8 if name == found.candidate else 6)
    axes.axvline(0, color="#1f2a30", linewidth=1)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel(f"percentage points of {found.metric.replace('_', ' ')} over “{found.baseline}”, 95 % interval")
    return embedded(figure)


def curves(found: Any) -> str:
    """Score while training: thin lines for seeds, a bold one for the mean."""
    figure, axes = _figure(7.5, 4)
    everything = []
    for color, (name, own) in zip(_ARMS * 4, found.curves.items(), strict=False):
        steps = [step for step, _ in own[0]]
        values = np.array([[100 * v for _, v in curve] for curve in own])
        everything.append(values.ravel())
        for row in values:
            axes.plot(steps, row, color=color, alpha=0.18, linewidth=1)
        axes.plot(steps, values.mean(0), color=color, linewidth=2.2, label=name)
    values = np.concatenate(everything)
    axes.set_ylim(max(0.0, float(np.percentile(values, 15)) - 2), min(100.5, values.max() + 1))
    axes.set_xlabel("training step")
    axes.set_ylabel(f"{found.metric.replace('_', ' ')} in %")
    axes.legend(frameon=False, loc="lower right")
    return embedded(figure)


def per_class(found: Any) -> str:
    """Recall of baseline and candidate by class, with intervals."""
    first, second = found.arms[found.baseline].per_class, found.arms[found.candidate].per_class
    names = list(first)[:40]
    figure, axes = _figure(7.5, 0.34 * len(names) + 1.2)
    for shift, color, label, own in ((0.16, REAL, found.baseline, first), (-0.16, MADE, found.candidate, second)):
        at = np.arange(len(names))[::-1] + shift
        mean, low, high = np.clip(100 * np.array([own[name] for name in names]).T, 0, 100)
        axes.errorbar(
            mean, at, xerr=[mean - low, high - mean], fmt="o", color=color, capsize=0, markersize=4, label=label
        )
    axes.set_yticks(np.arange(len(names))[::-1], names)
    axes.set_xlabel("recall in %, 95 % interval of the mean over seeds")
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.0 + 0.5 / (0.34 * len(names) + 1.2)), ncol=2)
    return embedded(figure)


def embedding(positions: dict[str, np.ndarray]) -> str:
    """Where the samples lie on the plane of the held-out ones' leading principal components."""
    figure, axes = _figure(6.2, 5)
    for which, color, label, marker in (
        ("held", HELD, "held out", "o"),
        ("train", "#30638e", "training", "o"),
        ("made", MADE, "generated", "x"),
    ):
        x, y = positions[which].T
        axes.plot(
            x, y, marker, color=color, markersize=3.2 if marker == "x" else 3, alpha=0.55, linestyle="", label=label
        )
    axes.set_xlabel("first principal component")
    axes.set_ylabel("second")
    axes.legend(frameon=False, markerscale=2)
    return embedded(figure)


def confusion(labels: Any, names: list[str]) -> str:
    """Requested against predicted labels, generated beside held-out samples."""
    size = len(labels.confusion)
    names = names if len(names) == size else [str(i) for i in range(size)]
    module = import_optional("matplotlib.figure", extra="report", purpose="pictures")
    side = min(4.6, 0.3 * size + 1.4)
    figure = module.Figure(figsize=(2 * side + 0.6, side), layout="constrained")
    for axes, counts, title in zip(
        figure.subplots(1, 2),
        (labels.confusion, labels.held_confusion),
        ("generated: asked for → taken for", "held out: true → taken for"),
        strict=True,
    ):
        rows = np.array(counts, dtype=float)
        shares = rows / np.maximum(rows.sum(1, keepdims=True), 1)
        axes.imshow(shares, cmap="Greens", vmin=0, vmax=1)
        axes.set_title(title, fontsize=9)
        if size <= 20:
            axes.set_xticks(range(size), names, rotation=90, fontsize=7)
            axes.set_yticks(range(size), names, fontsize=7)
        if size <= 12:
            for i in range(size):
                for j in range(size):
                    if shares[i, j] >= 0.005:
                        color = "white" if shares[i, j] > 0.55 else "#1f2a30"
                        axes.text(
                            j, i, f"{100 * shares[i, j]:.0f}", ha="center", va="center", fontsize=6.5, color=color
                        )
    return embedded(figure)


def diversity(per_class: dict[str, tuple[float, tuple[float, float]]]) -> str:
    """Diversity of each class relative to held-out samples."""
    return _bars(
        {name: (one, *about) for name, (one, about) in per_class.items()},
        "diversity over that of held-out samples",
        1.0,
    )


def agreement(labels: Any) -> str:
    """Label agreement by class; a tick marks held-out samples."""
    rows = {name: (one, *about) for name, (one, about, _) in labels.per_class.items()}
    marks = {name: floor for name, (_, _, floor) in labels.per_class.items()}
    return _bars(rows, "share taken for the class asked for; the tick is that of held-out samples", None, marks)


def _bars(
    rows: dict[str, tuple[float, float, float]], label: str, line: float | None, marks: dict[str, float] | None = None
) -> str:
    names = list(rows)[:40]
    figure, axes = _figure(7, 0.3 * len(names) + 0.9)
    at = np.arange(len(names))[::-1]
    values = np.array([rows[name] for name in names], dtype=float)
    axes.barh(at, values[:, 0], color="#e3b7be", height=0.62)
    errors = np.clip([values[:, 0] - values[:, 1], values[:, 2] - values[:, 0]], 0, None)
    axes.errorbar(values[:, 0], at, xerr=errors, fmt="none", ecolor=MADE, elinewidth=1.6)
    if marks:
        axes.plot([marks[name] for name in names], at, "|", color="#1f2a30", markersize=12, markeredgewidth=2)
    if line is not None:
        axes.axvline(line, color="#1f2a30", linewidth=1)
    axes.set_yticks(at, names)
    axes.set_xlabel(label)
    axes.set_xlim(left=0)
    return embedded(figure)


def _figure(width: float, height: float) -> tuple[Any, Any]:
    module = import_optional("matplotlib.figure", extra="report", purpose="pictures")
    figure = module.Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.grid(alpha=0.22)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
