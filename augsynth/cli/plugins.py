"""augsynth plugins"""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict
from typing import Annotated

import typer

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
        typer.echo(json.dumps([asdict(info) for info in found], indent=2, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for column in ("kind", "name", "modality", "summary", "distribution"):
        table.add_column(column, overflow="fold")
    for info in found:
        if info.error is None:
            row = (info.kind, info.name, info.modality, info.summary, f"{info.distribution} {info.version}")
            table.add_row(*row)
        else:
            table.add_row(
                "left out", info.name, "", info.error, f"{info.distribution} {info.version}", style="red"
            )
    Console().print(table)
