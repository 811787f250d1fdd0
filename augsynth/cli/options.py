"""Options that several commands share."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from augsynth.errors import ConfigError

Data = Annotated[
    str,
    typer.Option("--data", help="digits, fashion-mnist, image folder, .npz, .csv, .jsonl, hf:NAME, module:callable."),
]
TextColumn = Annotated[str | None, typer.Option("--text", help="Column of a table that holds the text.")]
Topics = Annotated[int | None, typer.Option("--topics", help="Find so many topics in the texts, and fit by topic.")]
LabelColumn = Annotated[str | None, typer.Option("--label", help="Column of a table that holds the label.")]
Seed = Annotated[int, typer.Option("--seed", help="Everything random follows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:0 or mps.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="A setting of the generator, as name=value; repeatable.")
]
SampleSettings = Annotated[
    list[str] | None, typer.Option("--set", help="An option of sampling, such as top_p=0.9; repeatable.")
]


def parsed_settings(settings: list[str] | None) -> dict[str, Any]:
    """``["width=32"]`` as ``{"width": 32}``; values are JSON, or else plain text."""
    parsed = {}
    for text in settings or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"--set {text!r}: expected name=value")
        try:
            parsed[name.strip()] = json.loads(value)
        except json.JSONDecodeError:
            parsed[name.strip()] = value
    return parsed
