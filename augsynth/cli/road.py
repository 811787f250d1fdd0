"""augsynth run, prepare and clean"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from augsynth.cli.options import (
    AsJson,
    Data,
    Device,
    Jobs,
    LabelColumn,
    Reading,
    Seed,
    Size,
    TextColumn,
    parsed_settings,
    reading,
)
from augsynth.cli.stopping import kept_when_stopped
from augsynth.cli.telling import tell
from augsynth.errors import ConfigError

OnBad = Annotated[
    str | None,
    typer.Option(
        "--on-bad", help="Files or rows that cannot be read: error, or drop, which lists and leaves them out."
    ),
]


def run(
    recipe: Annotated[Path, typer.Argument(help="A YAML file; see the folder recipes/ of the project.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder [default: runs/ and the name of the file].")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Another value, such as data.train=photos/ or verdict.seeds=3; repeatable."),
    ] = None,
    redo: Annotated[bool, typer.Option("--redo", help="Do anew what has changed in the recipe or the data.")] = False,
    jobs: Jobs = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Run a recipe: data, preparation, generator, blend and verdict in one file. Goes on where it was stopped.

    Example: augsynth run recipes/long_tail.yaml

    With data of yours: augsynth run recipes/photos.yaml --set data.train=photos/ --out runs/photos
    """
    from augsynth.recipe.overrides import overridden
    from augsynth.recipe.reading import read_text, recipe_of
    from augsynth.recipe.run import run_recipe

    text, folder = read_text(recipe), out or Path("runs") / recipe.stem
    wanted = recipe_of(text, str(recipe))  # what is wrong in the file is told by its lines, before it is changed
    if settings:
        text = overridden(text, parsed_settings(settings))
        wanted = recipe_of(text, str(recipe))
    with kept_when_stopped(f"what is done is kept in {folder}"):
        outcome = run_recipe(wanted, folder, text=text, device=device, jobs=jobs, redo=redo, progress=not as_json)
    if as_json:
        tell(json.dumps(outcome.to_json(), ensure_ascii=False, default=str))
        return
    if outcome.skipped:
        tell(f"already done: {', '.join(outcome.skipped)}", err=True)
    tell(outcome.sentence)
    page = folder / "index.html"
    tell(f"look at: {page if page.is_file() else folder / 'results.json'}")


def prepare(
    data: Data,
    test: Annotated[
        str | None, typer.Option("--test", help="Data to score on later; default: the test split, if any.")
    ] = None,
    text: TextColumn = None,
    label: LabelColumn = None,
    size: Size = None,
    on_bad: OnBad = "drop",
    read: Reading = None,
    look_for: Annotated[
        list[str] | None,
        typer.Option("--look-for", help="duplicates, leaks, labels or outliers; repeatable [default: all]."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the page and the list.")] = None,
    device: Device = "auto",
    jobs: Jobs = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Find what is there twice, is in the test data, too, is doubtfully labelled or unlike all others.

    Takes nothing out.

    Example: augsynth prepare --data photos/ --out runs/photos-prepared
    """
    import augsynth
    from augsynth.datasets.named import has_test_split, open_dataset

    options = _known(data, {**reading(text, label, size, read), "on_bad": on_bad})
    dataset = open_dataset(data, **options)
    held = None
    if test is not None:
        held = open_dataset(test, **options)
    elif has_test_split(data):
        held = open_dataset(data, split="test", **options)
    wanted = {} if look_for is None else {"look_for": look_for}
    found = augsynth.prepare(dataset, held, device=device, jobs=jobs, seed=seed, progress=not as_json, **wanted)
    page = None if out is None else found.save(out)
    if as_json:
        tell(json.dumps(found.to_json(), ensure_ascii=False))
        return
    tell(str(found))
    if page is not None:
        tell(f"look at: {page}; every finding is in {page.parent / 'findings.csv'}")


def clean(
    data: Data,
    out: Annotated[Path, typer.Option("--out", help="FILE.csv or FILE.jsonl for what is kept.")],
    text: TextColumn = None,
    label: LabelColumn = None,
    on_bad: OnBad = "drop",
    duplicates: Annotated[str, typer.Option("--duplicates", help="near, exact or none.")] = "near",
    threshold: Annotated[float, typer.Option("--threshold", help="Overlap of near-duplicates.")] = 0.85,
    as_json: AsJson = False,
) -> None:
    """Normalise texts, and take out what is empty, double or unlike the rest. Lists all that it takes out.

    Example: augsynth clean --data questions.csv --text question --label kind --out cleaned.csv
    """
    import augsynth
    from augsynth._atomic import atomic_file
    from augsynth.datasets.named import open_dataset
    from augsynth.sample_files import write_rows

    if out.suffix not in (".csv", ".jsonl"):
        raise ConfigError(f"--out {out}: expected FILE.csv or FILE.jsonl")
    dataset = open_dataset(data, text=text, label=label, on_bad=on_bad)
    cleaned = augsynth.clean(
        dataset, duplicates=None if duplicates == "none" else duplicates, threshold=threshold, progress=not as_json
    )
    names = [text or "text", *([label] if label is not None else [])]
    rows = [
        dict(zip(names, one if isinstance(one, tuple) else (one,), strict=True))
        for one in (cleaned[i] for i in range(len(cleaned)))
    ]
    write_rows(rows, out)
    unreadable = [list(one) for one in getattr(dataset, "unreadable", ())]
    told = {**cleaned.report.to_json(), "unreadable": unreadable}
    listed = out.with_suffix(".removed.json")
    with atomic_file(listed) as draft:
        draft.write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")
    if as_json:
        tell(json.dumps(told, ensure_ascii=False))
        return
    tell(str(cleaned.report))
    tell(f"kept: {out}; taken out: {listed}")


def _known(data: str, options: dict[str, Any]) -> dict[str, Any]:
    """``options`` without the default of ``on_bad`` where the reader of ``data`` does not know it."""
    from augsynth.datasets.named import options_of

    return options if "on_bad" in options_of(data) else {k: v for k, v in options.items() if k != "on_bad"}
