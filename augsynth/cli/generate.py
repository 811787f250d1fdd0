"""augsynth generate"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augsynth.cli.options import Device, SampleSettings, parsed_settings
from augsynth.cli.stopping import kept_when_stopped
from augsynth.cli.telling import tell


def generate(
    checkpoint: Annotated[Path, typer.Argument(help="Folder written by: augsynth fit.")],
    out: Annotated[str, typer.Option("--out", help="A folder, or a URL such as s3://bucket/samples.")],
    n: Annotated[int, typer.Option("-n", "--number", help="How many.")],
    label: Annotated[str | None, typer.Option("--label", help="Of one class, by value or name.")] = None,
    topic: Annotated[str | None, typer.Option("--topic", help="Of one topic, by id, name or free words.")] = None,
    form: Annotated[str, typer.Option("--format", help="parquet, or webdataset.")] = "parquet",
    shard_size: Annotated[int | None, typer.Option(help="Samples a file; default: about 16 MiB of them.")] = None,
    num_workers: Annotated[int | None, typer.Option("--workers", help="Processes; default: one a core.")] = None,
    licence: Annotated[str | None, typer.Option(help="Of the samples, for those who get them.")] = None,
    settings: SampleSettings = None,
    device: Device = "cpu",
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same samples.")] = 0,
) -> None:
    """Write very many samples in several processes, or on a Ray cluster. Goes on where it was stopped.

    Example: augsynth generate runs/digits-vae -n 1000000 --out runs/a-million

    Needs the extra ray: pip install 'augsynth[ray]'
    """
    import augsynth

    generator = augsynth.load(checkpoint, device=device)
    with kept_when_stopped("what was written is kept"):
        augsynth.generate(
            generator,
            n,
            out,
            labels=label,
            topics=topic,
            seed=seed,
            format=form,
            shard_size=shard_size,
            num_workers=num_workers,
            licence=licence,
            **parsed_settings(settings),
        )
    tell(f"{n:,} samples in {out}")
