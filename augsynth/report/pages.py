"""Reports: one HTML file each, with everything in it, to be read on any screen and without a network."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from augsynth.report.render import render
from augsynth.report.samples import Block, class_blocks, html_of, pair_blocks, unlikely_blocks

_SHOWN = 48  # findings of a kind


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


def preparation_page(found: Any, path: str | Path, *, dropped: Collection[str] = ()) -> Path:
    """Write the page of a :class:`Preparation`; returns its path. Raises as :func:`uplift_page`."""

    def block(one: Any) -> Block:
        name = one.file.rpartition("/")[2] if one.file else f"sample {one.index}"
        left = html_of(found.data.spec, found.data.raw, one.index)
        other = found.test if one.kind == "leaks" else found.data
        right = None if one.other is None else html_of(other.spec, other.raw, one.other)
        return Block(name, left, right, one.detail)

    counts = found.counts
    groups = [
        (kind, told, counts[kind], [block(one) for one in found.of(kind)[:_SHOWN]]) for kind, told in found.told.items()
    ]
    return render(
        "preparation.html",
        Path(path),
        found=found,
        groups=groups,
        n=len(found.dataset),
        kept=len(found.kept(dropped)),
        dropped=sorted(dropped),
    )


def annotation_page(found: Any, path: str | Path) -> Path:
    """Write the page of an :class:`Annotation`; returns its path. Raises as :func:`uplift_page`."""

    def block(i: int) -> Block:
        label = found.target.display(found.target.index(found.guesses[i]))
        return Block(label, html_of(found.spec, found.raw, i), None, f"sample {i}, {found.confidence[i]:.1%} sure")

    given = sorted(found.accepted, key=lambda i: float(found.confidence[i]))
    groups = [
        ("without a label", "The least sure first; the label is what the judge would say.", found.abstained),
        ("with a label", "The least sure first: where the mistakes are.", given),
    ]
    shown = [(title, note, len(rows), [block(i) for i in rows[:_SHOWN]]) for title, note, rows in groups]
    return render("annotation.html", Path(path), found=found, groups=shown)


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
