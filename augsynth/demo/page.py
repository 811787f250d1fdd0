"""One self-contained HTML page."""

from __future__ import annotations

import platform
import statistics
from importlib.metadata import version
from pathlib import Path
from typing import Any

from augsynth._atomic import atomic_file
from augsynth._embedded import embedded_bytes
from augsynth._optional import import_optional
from augsynth._version import __version__
from augsynth.demo.experiment import Outcome

_ACCENT = {"helps": "#2a7f62", "hurts": "#c0392b", "no difference": "#8a8f94"}


def template_module() -> Any:
    """jinja2."""
    return import_optional("jinja2", extra="report", purpose="reports")


def write_page(outcome: Outcome, grid: Path, curves: Path, path: Path) -> None:
    """Write the page with both pictures inside."""
    environment = template_module().Environment(autoescape=True)
    template = environment.from_string((Path(__file__).parent / "page.html").read_text(encoding="utf-8"))
    numbers = outcome.to_json()
    info = outcome.generator.fit_info
    rows = {
        "data": outcome.settings.data,
        "training samples": f"{len(outcome.train)} ({outcome.settings.per_class or 'all'} per class)",
        "generator": outcome.generator.plugin,
        "fit": f"{info['steps']} steps, {info['seconds']} s, {info['ended']}; "
        f"weights of step {info['best_step'] or info['steps']}",
        "generator settings": outcome.generator.config,
        "warnings": info["warnings"] or "none",
        "ratio": outcome.settings.ratio,
        "seed": outcome.settings.seed,
        "device": str(outcome.generator.device),
        "versions": f"augsynth {__version__}, torch {version('torch')}, Python {platform.python_version()}",
    }
    html = template.render(
        **numbers,
        rows=rows,
        plugin=outcome.generator.plugin,
        accent=_ACCENT[outcome.verdict.word],
        summary={arm: _summary(values) for arm, values in outcome.accuracies.items()},
        grid=_embedded(grid) if grid.suffix == ".png" else None,
        listing=None if grid.suffix == ".png" else grid.read_text(encoding="utf-8"),
        curves_picture=_embedded(curves),
    )
    with atomic_file(path) as draft:
        draft.write_text(html, encoding="utf-8")


def _summary(values: list[float]) -> str:
    return f"{100 * statistics.mean(values):.2f} ± {100 * statistics.stdev(values):.2f} %"


def _embedded(picture: Path) -> str:
    return embedded_bytes(picture.read_bytes(), "image/png")
