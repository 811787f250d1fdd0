"""Templates to files."""

from __future__ import annotations

import base64
import hashlib
import io
import math
from pathlib import Path
from typing import Any

from augsynth._atomic import atomic_file
from augsynth._embedded import embedded_bytes
from augsynth._optional import import_optional
from augsynth.errors import ConfigError

# Everything from data is escaped; should that ever fail, no script but our own runs, and nothing is loaded or sent.
_POLICY = (
    "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
    "base-uri 'none'; form-action 'none'"
)
_TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, path: Path, **values: Any) -> Path:
    """Fill a template of this package and write it, whole or not at all."""
    jinja = import_optional("jinja2", extra="report", purpose="reports")
    environment = jinja.Environment(loader=jinja.FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True)
    environment.filters |= {"number": number, "percent": percent, "points": points}
    script = (_TEMPLATES / "filter.js").read_text(encoding="utf-8")
    policy = _POLICY.format(digest=_digest(script))
    html = environment.get_template(template).render(policy=policy, filter_script=script, **values)
    try:
        with atomic_file(path) as draft:
            draft.write_text(html, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from error
    return path


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def number(value: float | None) -> str:
    """Three significant digits, or a dash."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.3g}" if 1e-4 <= abs(value) < 1e4 or value == 0 else f"{value:.1e}"


def percent(value: float | None) -> str:
    """A share as per cent with one digit."""
    return "–" if value is None or not math.isfinite(value) else f"{100 * value:.1f} %"


def points(value: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return f"{100 * value:+.2f}" if math.isfinite(value) else "–"


def embedded(figure: Any) -> str:
    """A matplotlib figure as a data URL of an SVG: sharp on any screen."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", bbox_inches="tight", pad_inches=0.08, metadata={"Date": None})
    return embedded_bytes(buffer.getvalue(), "image/svg+xml")
