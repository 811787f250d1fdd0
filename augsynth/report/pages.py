"""Reports: one HTML file each, with everything in it, to be read on any screen and without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from augsynth.report.render import render
from augsynth.report.samples import class_blocks, pair_blocks, unlikely_blocks


def uplift_page(found: Any, path: str | Path) -> Path:
    """Write the page of an :class:`Uplift`; returns its path.

    Raises:
        MissingDependencyError: the extra ``report`` is not installed.
        ConfigError: the file cannot be written.
    """
    from augsynth.report import charts

    pictures = {
        "gains": charts.gains(found),
        "curves": charts.curves(found) if any(found.curves.values()) and found.curves[found.baseline][0] else None,
        "per_class": charts.per_class(found),
    }
    return render("uplift.html", Path(path), found=found, pictures=pictures)


def evaluation_page(found: Any, path: str | Path) -> Path:
    """Write the page of an :class:`Evaluation`; returns its path. Raises as :func:`uplift_page`."""
    from augsynth.report import charts

    shown = found.pictures
    pictures = {
        "map": None if shown is None else charts.embedding(shown.embedding),
        "confusion": None
        if found.labels is None
        else charts.confusion(found.labels, shown.sets.names if shown else []),
        "diversity": charts.diversity(found.diversity) if len(found.diversity) > 1 else None,
        "agreement": None if found.labels is None else charts.agreement(found.labels),
    }
    blocks = {
        "classes": [] if shown is None else class_blocks(shown.sets),
        "pairs": [] if shown is None else pair_blocks(shown.sets, found.pairs),
        "unlikely": [] if shown is None or found.labels is None else unlikely_blocks(shown.sets, found.labels),
    }
    return render("evaluation.html", Path(path), found=found, pictures=pictures, **blocks)
