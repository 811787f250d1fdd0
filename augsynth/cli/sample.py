"""augsynth sample"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from augsynth.cli.options import AsJson, Device, SampleSettings, parsed_settings
from augsynth.errors import ConfigError


def sample(
    checkpoint: Annotated[Path, typer.Argument(help="Folder written by: augsynth fit.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Images: FILE.png, FILE.npz or a folder. Texts: FILE.csv, FILE.jsonl, or printed."),
    ] = None,
    n: Annotated[int | None, typer.Option("-n", help="How many [default: 64, or 8 of each label or topic].")] = None,
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

    For text: augsynth sample runs/questions --label location --temperature 0.8 --set top_p=0.9

    By topic: augsynth sample runs/questions --topic "famous rivers" --out rivers.csv
    """
    import augsynth

    generator = augsynth.load(checkpoint, device=device)
    texts = generator.modality == "text"
    if out is None and not texts:
        raise ConfigError("--out is needed: FILE.png, FILE.npz, or a folder")
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
    files = [] if out is None else _write_texts(batch, out) if texts else _write(batch, out)
    if as_json:
        rows = list(batch.meta)
        if texts:
            rows = [{"text": text, **row} for text, row in zip(batch.x, rows, strict=True)]
        typer.echo(json.dumps({"files": [str(file) for file in files], "samples": rows}, ensure_ascii=False))
    elif out is None:
        for text, row in zip(batch.x, batch.meta, strict=True):
            typer.echo(f"{_told(row)}\t{text}" if _told(row) else text)
    else:
        typer.echo(f"{len(batch)} samples in {out}")


def _side_by_side(wanted: list[str] | None, n: int) -> list[str] | None:
    """n entries: each of ``wanted`` in equal parts."""
    return [wanted[i * len(wanted) // n] for i in range(n)] if wanted else None


def _told(row: dict[str, Any]) -> str:
    return ", ".join(row[key] for key in ("condition", "topic") if row.get(key))


def _write_texts(batch: Any, out: Path) -> list[Path]:
    import csv

    from augsynth._atomic import atomic_file

    if out.suffix not in (".csv", ".jsonl"):
        raise ConfigError(f"--out {out}: expected FILE.csv or FILE.jsonl")
    rows = [
        {"text": x, "label": m["condition"], **({"topic": m["topic"]} if "topic" in m else {}), "seed": m["seed"]}
        for x, m in zip(batch.x, batch.meta, strict=True)
    ]
    with atomic_file(out) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        if out.suffix == ".csv":
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        else:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return [out]


def _write(batch: Any, out: Path) -> list[Path]:
    import numpy as np

    from augsynth._atomic import atomic_file, atomic_folder
    from augsynth.grids import image_grid

    x = batch.model_x.cpu()
    if out.suffix == ".png":
        with atomic_file(out) as draft:
            image_grid(x, columns=min(8, len(x)), scale=max(1, 48 // x.shape[-1])).save(draft)
        return [out]
    if out.suffix == ".npz":
        arrays: dict[str, Any] = {"x": np.stack([np.asarray(one) for one in batch.x])}
        if batch.y is not None:
            arrays["y"] = np.asarray(batch.y)
        with atomic_file(out) as draft:
            np.savez_compressed(draft, **arrays)
        return [out]
    if out.suffix:
        raise ConfigError(f"--out {out}: expected FILE.png, FILE.npz, or a folder")
    if out.is_dir() and any(out.iterdir()):
        raise ConfigError(f"--out {out}: the folder is not empty; name a new one")
    names = []
    with atomic_folder(out) as folder:
        for i, meta in enumerate(batch.meta):
            sub = folder / (meta["condition"].replace("/", "-") or "samples")
            sub.mkdir(exist_ok=True)
            image_grid(x[i : i + 1], columns=1, gap=0).save(sub / f"{meta['seed']:019d}.png")
            names.append(out / sub.name / f"{meta['seed']:019d}.png")
    return names
