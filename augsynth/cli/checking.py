"""augsynth check"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from augsynth._printable import printable
from augsynth.cli.completing import kinds_named, plugins_named
from augsynth.cli.options import AsJson, parsed_settings
from augsynth.cli.telling import tell
from augsynth.errors import ConfigError
from augsynth.registry import plugins as installed_plugins

_STYLES = {"passed": "green", "failed": "red", "expected failure": "yellow", "not applicable": "dim"}


def check(
    name: Annotated[
        str, typer.Argument(help="Name of a plugin, as listed by: augsynth plugins.", autocompletion=plugins_named)
    ],
    kind: Annotated[
        str | None,
        typer.Option("--kind", help="Where plugins of several kinds have that name.", autocompletion=kinds_named),
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A setting to make it with, as name=value; repeatable.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Does an installed plugin keep what the contract promises? Exit code 1 where it does not.

    Example: augsynth check augsynth-template/gaussian
    """
    from augsynth.testing import run_checks

    outcomes = run_checks(_kind_of(name, kind), name, settings=parsed_settings(settings))
    failed = sum(one.status == "failed" for one in outcomes)
    if as_json:
        tell(json.dumps([asdict(one) for one in outcomes], indent=2, ensure_ascii=False))
    else:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(show_edge=False)
        for column in ("check", "outcome", "what it says"):
            table.add_column(column, overflow="fold", no_wrap=column == "outcome")
        for one in outcomes:
            promise = " ".join(one.promise.split("\n\n")[0].split()).replace(":meth:", "").replace("`", "")
            told = one.told or promise
            shown = one.check.removeprefix("check_").replace("_", " ")
            table.add_row(shown, Text(one.status, _STYLES[one.status]), Text(printable(told)))
        Console().print(table)
        counts = {status: sum(one.status == status for one in outcomes) for status in _STYLES}
        tell(f"{name}: " + ", ".join(f"{n} {status}" for status, n in counts.items() if n))
    if failed:
        raise typer.Exit(1)


def _kind_of(name: str, kind: str | None) -> str:
    found = [info for info in installed_plugins() if name in (info.name, info.qualified)]
    kinds = sorted({info.kind for info in found})
    if kind is not None or len(kinds) == 1:
        return kind or kinds[0]
    if not kinds:
        raise ConfigError(f"there is no plugin {name!r} here; augsynth plugins lists them")
    raise ConfigError(f"{name!r} is a plugin of several kinds, {', '.join(kinds)}: say --kind")
