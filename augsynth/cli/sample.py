"""augsynth sample"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from augsynth.cli.options import AsJson, Device, SampleSettings, parsed_settings
from augsynth.cli.telling import tell
from augsynth.errors import ConfigError


def sample(
    checkpoint: Annotated[Path, typer.Argument(help="Folder written by: augsynth fit.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="File or folder for the samples; which suffixes there are depends on the kind of data."
        ),
    ] = None,
    n: Annotated[
        int | None, typer.Option("-n", "--number", help="How many [default: 64, or 8 of each label or topic].")
    ] = None,
    label: Annotated[list[str] | None, typer.Option("--label", help="Class, by value or name; repeatable.")] = None,
    topic: Annotated[
        list[str] | None, typer.Option("--topic", help="Topic, by id, name or free words; repeatable.")
    ] = None,
    temperature: Annotated[float, typer.Option(help="Spread of the noise; 0 gives the mode.")] = 1.0,
    truncation: Annotated[float | None, typer.Option(help="Bound on the noise, in standard deviations.")] = None,
    settings: SampleSettings = None,
    device: Device = "cpu",
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same samples.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Draw samples from a fitted generator.

    Example: augsynth sample runs/digits-vae -n 32 --label 3 --out threes.png

    To the terminal: augsynth sample runs/questions --label location --temperature 0.8 --set top_p=0.9

    By topic: augsynth sample runs/questions --topic "famous rivers" --out rivers.csv
    """
    import augsynth
    from augsynth.recognition import modality_of

    generator = augsynth.load(checkpoint, device=device)
    modality = modality_of(generator.spec)
    there = ", ".join(f"FILE{suffix}" if suffix else "a folder" for suffix in modality.suffixes)
    if out is None and not modality.readable:
        raise ConfigError(f"--out is needed: {there}")
    if out is not None and out.suffix not in modality.suffixes:
        raise ConfigError(f"--out {out}: expected {there}")
    n = n if n is not None else 8 * max(len(label or ()), len(topic or ())) or 64
    batch = generator.sample(
        n,
        labels=_side_by_side(label, n),
        topics=_side_by_side(topic, n),
        temperature=temperature,
        truncation=truncation,
        seed=seed,
        **parsed_settings(settings),
    )
    if not len(batch):
        raise ConfigError("-n 0: there is nothing to write")
    files = [] if out is None else modality.write(generator.spec, batch, out)
    if as_json:
        rows = list(batch.meta)
        if modality.readable:
            told = modality.lines(generator.spec, batch.model_x)
            rows = [{modality.spec_type.field_names[0]: x, **row} for x, row in zip(told, rows, strict=True)]
        tell(json.dumps({"files": [str(file) for file in files], "samples": rows}, ensure_ascii=False))
    elif out is None:
        for line, row in zip(modality.lines(generator.spec, batch.model_x), batch.meta, strict=True):
            tell(f"{_told(row)}\t{line}" if _told(row) else line)
    else:
        tell(f"{len(batch)} samples in {out}")


def _side_by_side(wanted: list[str] | None, n: int) -> list[str] | None:
    """n entries: each of ``wanted`` in equal parts."""
    return [wanted[i * len(wanted) // n] for i in range(n)] if wanted else None


def _told(row: dict[str, Any]) -> str:
    return ", ".join(row[key] for key in ("condition", "topic") if row.get(key))
