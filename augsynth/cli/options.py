"""Options that several commands share."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from augsynth.errors import ConfigError

Data = Annotated[
    str,
    typer.Option("--data", help="digits, fashion-mnist, a folder, .npz, .csv, .jsonl, hf:NAME, module:callable."),
]
# readers take options by name; these two are the most frequent, and named in the contract
TextColumn = Annotated[str | None, typer.Option("--text", help="Column of a table that holds the text.")]
Topics = Annotated[int | None, typer.Option("--topics", help="Find so many topics in the data, and fit by topic.")]
LabelColumn = Annotated[str | None, typer.Option("--label", help="Column of a table that holds the label.")]
Size = Annotated[int | None, typer.Option("--size", help="Resize what a folder holds to this side.")]
Reading = Annotated[
    list[str] | None,
    typer.Option("--read", help="A further option of reading the data, as name=value; repeatable."),
]
Seed = Annotated[int, typer.Option("--seed", help="Everything random follows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Jobs = Annotated[int | None, typer.Option("--jobs", help="Parallel processes; default: one a core.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:0 or mps.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="A setting of the generator, as name=value; repeatable.")
]
SampleSettings = Annotated[
    list[str] | None, typer.Option("--set", help="An option of sampling, such as top_p=0.9; repeatable.")
]


def parsed_settings(settings: list[str] | None, option: str = "--set") -> dict[str, Any]:
    """``["width=32"]`` as ``{"width": 32}``; values are JSON, or else plain text."""
    parsed = {}
    for text in settings or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"{option} {text!r}: expected name=value")
        try:
            parsed[name.strip()] = json.loads(value)
        except json.JSONDecodeError:
            parsed[name.strip()] = value
    return parsed


def reading(
    text: str | None = None, label: str | None = None, size: int | None = None, further: list[str] | None = None
) -> dict[str, Any]:
    """Options for :func:`open_dataset`."""
    return {"text": text, "label": label, "size": size, **parsed_settings(further, "--read")}
