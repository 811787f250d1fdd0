"""augsynth annotate"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from augsynth.cli.options import AsJson, Data, Device, LabelColumn, Reading, Seed, Size, TextColumn, reading
from augsynth.cli.telling import tell


def annotate(
    data: Data,
    labelled: Annotated[str, typer.Option("--labelled", help="Data with labels, of the same form.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the table and the page.")],
    precision: Annotated[float, typer.Option("--precision", help="Share of the labels that is to be right.")] = 0.95,
    assurance: Annotated[float, typer.Option("--assurance", help="How sure that is to be.")] = 0.9,
    text: TextColumn = None,
    label: LabelColumn = None,
    size: Size = None,
    read: Reading = None,
    device: Device = "auto",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Give labels to samples that have none where a judge is sure enough, and list the rest for a person.

    Example: augsynth annotate --data new.csv --labelled known.csv --text text --label label --out runs/annotated
    """
    import augsynth
    from augsynth.datasets.named import open_dataset

    given = open_dataset(data, **reading(text, None, size, read))
    known = open_dataset(labelled, **reading(text, label, size, read))
    found = augsynth.annotate(
        given, known, precision=precision, assurance=assurance, device=device, seed=seed, progress=not as_json
    )
    page = found.save(out)
    if as_json:
        told = {
            "sentence": found.sentence,
            "labelled": len(found.accepted),
            "left": len(found.abstained),
            "threshold": found.threshold.value if found.threshold.of else None,
            "table": str(out / "annotation.csv"),
        }
        tell(json.dumps(told, ensure_ascii=False))
        return
    tell(found.sentence)
    tell(f"table: {out / 'annotation.csv'}   look at: {page}")
