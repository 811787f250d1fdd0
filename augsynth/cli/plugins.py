"""augsynth plugins"""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict
from typing import Annotated

import typer

from augsynth._printable import printable
from augsynth.cli.telling import tell
from augsynth.errors import PluginWarning
from augsynth.registry import plugins as installed_plugins


def plugins(as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False) -> None:
    """List the installed plugins, usable and broken.

    Example: augsynth plugins --json
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginWarning)  # the listing itself shows what was left out
        found = installed_plugins()
    if as_json:
        tell(json.dumps([asdict(info) for info in found], indent=2, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(show_edge=False)
    for column in ("kind", "name", "modality", "summary", "distribution"):
        table.add_column(column, overflow="fold", no_wrap=column in ("kind", "name"))
    for info in found:
        what, style = (info.summary, None) if info.error is None else (info.error, "red")
        kind = info.kind or "left out"
        cells = (kind, info.name, info.modality, what, f"{info.distribution} {info.version}")
        table.add_row(*(Text(printable(cell)) for cell in cells), style=style)
    Console().print(table)
