"""augsynth new-plugin"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from augsynth.cli.completing import kinds_named
from augsynth.cli.options import AsJson
from augsynth.cli.telling import tell


def new_plugin(
    name: Annotated[str, typer.Argument(help="Of the distribution, such as augsynth-mri.")],
    kinds: Annotated[
        list[str] | None,
        typer.Option(
            "--kind",
            help="generator, transform, filter, metric, callback or modality; repeatable.",
            autocompletion=kinds_named,
        ),
    ] = None,
    folder: Annotated[Path, typer.Option("--in", help="Folder in which the new one is made.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Write a new distribution with working plugins in it, to begin from: package, tests, README, CI.

    Example: augsynth new-plugin augsynth-mri --kind generator --kind transform
    """
    from augsynth.scaffold.new_plugin import new_plugin as write

    made = write(name, kinds or ["generator"], folder=folder)
    files = sorted(str(file.relative_to(made)) for file in made.rglob("*") if file.is_file())
    if as_json:
        tell(json.dumps({"folder": str(made), "files": files}, indent=2, ensure_ascii=False))
        return
    tell(f"{made}:\n" + "\n".join(f"  {file}" for file in files))
    tell(f"next: cd {made} && pip install -e '.[test]' && pytest")
