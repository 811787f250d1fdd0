"""What came of a recipe, as one page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from augsynth._atomic import atomic_file
from augsynth._embedded import embedded_bytes
from augsynth.blending.strength import table_of
from augsynth.errors import MissingDependencyError
from augsynth.privacy.statement import told
from augsynth.recipe.outcome import Outcome, versions
from augsynth.recognition import modality_of
from augsynth.report.render import render

_EACH, _CLASSES = 6, 20


def write_page(outcome: Outcome, path: Path, text: str | None) -> Path | None:
    """Write the page, and ``grid.png`` (or ``grid.txt``) beside it; returns the page, or None without the extra
    ``report``."""
    try:
        return render(
            "recipe.html",
            path,
            outcome=outcome,
            **_shown(draw_grid(outcome, path.parent), outcome),
            counts=outcome.counts,
            prepared=outcome.prepared,
            privacy=_privacy(outcome),
            text=text,
            versions=versions(),
        )
    except MissingDependencyError:
        return None


def write_pages(outcomes: Mapping[str, Outcome], path: Path) -> Path | None:
    """One page for several recipes, run into folders beside it; returns it, or None without the extra ``report``."""
    cases = []
    for folder, outcome in outcomes.items():
        cases.append(
            {
                "name": outcome.recipe.name,
                "about": outcome.recipe.about,
                "sentence": outcome.gain or outcome.sentence,
                "verdict": outcome.uplift.verdict if outcome.uplift else "",
                **_shown(next(outcome.folder.glob("grid.*")), outcome),
                "page": f"{folder}/index.html",
            }
        )
    try:
        return render("recipes.html", path, cases=cases)
    except MissingDependencyError:
        return None


def _shown(grid: Path, outcome: Outcome) -> dict[str, Any]:
    """What a template shows of a file that :func:`draw_grid` wrote."""
    picture = grid.suffix == ".png"
    return {
        "grid": embedded_bytes(grid.read_bytes(), "image/png") if picture else None,
        "listing": None if picture else grid.read_text(encoding="utf-8"),
        "varied": "vary" in outcome.generator.capabilities,
    }


def draw_grid(outcome: Outcome, folder: Path) -> Path:
    """A row per class: real samples, generated ones and, where the generator can, variations of the real ones."""
    gen, sets = outcome.generator, outcome.sets
    spec, modality = gen.spec, modality_of(gen.spec)
    data = sets.pool_data.subset(sets.chosen(0))
    rows: list[tuple[str, str, Any]] = []
    for c, name in enumerate(sets.names[:_CLASSES]):
        if data.classes is None:
            break
        own = (data.classes == c).nonzero().flatten()
        if not len(own):
            continue
        picked = own[torch.arange(_EACH) % len(own)]
        value = spec.labels.values[c]
        rows.append((name, "real", data.model_x(picked)))
        # a seed for each class: by one, the same column would go the same way in all rows
        rows.append((name, "generated", spec.placed(gen.sample(_EACH, labels=value, seed=c).model_x, "cpu")))
        if "vary" in gen.capabilities:
            given = spec.yielded(data.raw[picked])
            options = dict(outcome.recipe.blend.vary_options)
            varied = gen.vary(given, [value] * _EACH, strength=_strength(outcome, spec, c), seed=c, **options)
            rows.append((name, "varied", spec.placed(varied.model_x, "cpu")))
    kinds = len({kind for _, kind, _ in rows})
    picture = modality.picture(spec, spec.joined([x for _, _, x in rows]), kinds * _EACH, cell=48)
    if picture is not None:
        with atomic_file(folder / "grid.png") as draft:
            picture.save(draft, format="png")
        return folder / "grid.png"
    lines = [f"{name}\t{kind}\t{line}" for name, kind, x in rows for line in modality.lines(spec, x)]
    with atomic_file(folder / "grid.txt") as draft:
        draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "grid.txt"


def _privacy(outcome: Outcome) -> dict[str, Any] | None:
    """What the fit guarantees in one line, and what it does not cover; None where it was not private."""
    stated = outcome.generator.fit_info.get("privacy")
    return None if stated is None else {"told": told(stated), "not_covered": stated["not_covered"]}


def _strength(outcome: Any, spec: Any, position: int) -> float:
    given = outcome.recipe.blend.strength
    if given is None:
        return 1.0
    table = table_of(given, spec.labels)
    return float(given) if table is None else float(table[position])
