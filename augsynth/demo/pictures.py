"""Pictures of the demonstration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from augsynth._atomic import atomic_file
from augsynth._optional import import_optional
from augsynth.demo.experiment import Outcome
from augsynth.recognition import modality_of

_REAL, _SYNTHETIC, _CLASSES = 5, 10, 20
_COLORS = {"real only": "#5b6770", "real + synthetic": "#d1495b"}


def figure_module() -> Any:
    """matplotlib.figure; needs no display, and no state of pyplot."""
    return import_optional("matplotlib.figure", extra="report", purpose="pictures")


def draw_grid(outcome: Outcome, path: Path) -> Path:
    """A row per class: real samples on the left, synthetic ones on the right; of a kind of data that is no picture, a
    ``.txt`` file in its place. Returns the file."""
    generator, data = outcome.generator, outcome.train
    spec = generator.spec
    if spec is None or spec.labels is None or data.classes is None:
        raise ValueError("the demonstration is of a labelled, fitted generator")
    modality = modality_of(spec)
    names = spec.labels.displayed[:_CLASSES]
    blocks: tuple[list[Any], list[Any]] = ([], [])
    for c in range(len(names)):
        rows = (data.classes == c).nonzero().flatten()[:_REAL]
        blocks[0].append(data.model_x(rows[torch.arange(_REAL) % len(rows)]))
        made = generator.sample(_SYNTHETIC, labels=spec.labels.values[c], seed=1).model_x
        blocks[1].append(spec.placed(made, "cpu"))
    real, synthetic = (spec.joined(parts) for parts in blocks)
    pictures = modality.picture(spec, real, _REAL, cell=56), modality.picture(spec, synthetic, _SYNTHETIC, cell=56)
    if pictures[0] is None:
        return _listed(modality, spec, names, blocks, path.with_suffix(".txt"))
    figure = figure_module().Figure(figsize=(9, 0.62 * len(names) + 0.9), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(_REAL, _SYNTHETIC))
    titles = "real", f"synthetic ({generator.plugin})"
    for axes, picture, title in zip((left, right), pictures, titles, strict=True):
        axes.imshow(np.asarray(picture), interpolation="nearest")
        axes.set_title(title)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_frame_on(False)
    cell = pictures[0].height / len(names)
    left.set_yticks([cell * (i + 0.5) for i in range(len(names))], names)
    left.tick_params(length=0)
    _save(figure, path)
    return path


def _listed(modality: Any, spec: Any, names: list[str], blocks: tuple[list[Any], list[Any]], path: Path) -> Path:
    lines = []
    for name, real, synthetic in zip(names, *blocks, strict=True):
        for kind, x in (("real", real), ("synthetic", synthetic)):
            lines += [f"{name}\t{kind}\t{line}" for line in modality.lines(spec, x)]
    with atomic_file(path) as draft:
        draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def draw_curves(outcome: Outcome, path: Path) -> None:
    """Test accuracy while training, one thin line a seed and a bold one for the mean."""
    figure = figure_module().Figure(figsize=(7.5, 4.2), layout="constrained")
    axes = figure.subplots()
    for arm, curves in outcome.curves.items():
        steps = [step for step, _ in curves[0]]
        values = np.array([[100 * accuracy for _, accuracy in curve] for curve in curves])
        for row in values:
            axes.plot(steps, row, color=_COLORS[arm], alpha=0.3, linewidth=1)
        final = f"{values[:, -1].mean():.2f} ± {values[:, -1].std(ddof=1):.2f}"
        axes.plot(steps, values.mean(0), color=_COLORS[arm], linewidth=2.2, label=f"{arm}: {final} %")
    everything = np.array([[a for _, a in curve] for curves in outcome.curves.values() for curve in curves]) * 100
    axes.set_ylim(max(0.0, float(np.percentile(everything, 15)) - 2), min(100.5, everything.max() + 1))
    axes.set_xlabel("training step of the classifier")
    axes.set_ylabel("test accuracy in %")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    with atomic_file(path) as draft:
        figure.savefig(draft, dpi=120, bbox_inches="tight", pad_inches=0.15)
