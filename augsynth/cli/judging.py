"""augsynth evaluate, uplift, tune and report"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from augsynth.cli.completing import generators_named
from augsynth.cli.options import (
    AsJson,
    Data,
    Device,
    Jobs,
    LabelColumn,
    Reading,
    SampleSettings,
    Seed,
    Size,
    TextColumn,
    parsed_settings,
    reading,
)
from augsynth.cli.stopping import kept_when_stopped
from augsynth.cli.telling import tell
from augsynth.errors import ConfigError

Checkpoint = Annotated[Path, typer.Argument(help="Folder written by: augsynth fit, or by: augsynth generate.")]
Holdout = Annotated[
    str | None,
    typer.Option("--holdout", help="Data that the generator has not seen; default: the test split, if any."),
]
Out = Annotated[Path | None, typer.Option("--out", help="Folder for the report and the numbers.")]
Steps = Annotated[int | None, typer.Option("--steps", help="Updates of each training; default by the amount of data.")]
Classic = Annotated[
    str,
    typer.Option("--classic", help="Classic augmentation: none, tune (on a part of the data), or a transform's name."),
]


def evaluate(
    checkpoint: Checkpoint,
    data: Data,
    holdout: Holdout = None,
    text: TextColumn = None,
    label: LabelColumn = None,
    size: Size = None,
    read: Reading = None,
    n: Annotated[int, typer.Option("-n", "--number", help="Samples of each set, at most.")] = 1000,
    features: Annotated[
        str, typer.Option("--features", help="auto, classifier, pca, or another that the kind of data has.")
    ] = "auto",
    judge: Annotated[
        str | None,
        typer.Option("--judge", help="Of labels: embeddings, where the kind of data has them. None: what suits."),
    ] = None,
    overlap: Annotated[
        str, typer.Option("--overlap", help="Held-out samples that were trained on: error, drop or keep.")
    ] = ("error"),
    settings: SampleSettings = None,
    out: Out = None,
    device: Device = "cpu",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Are the samples realistic, varied, rightly labelled, and no copies?

    Example: augsynth evaluate runs/digits-vae --data digits --out runs/digits-verdict
    """
    import augsynth

    with kept_when_stopped(None):
        found = augsynth.evaluate(
            _source(checkpoint),
            *_split(data, holdout, **reading(text, label, size, read)),
            n=n,
            features=features,
            judge=judge,
            overlap=overlap,
            device=device,
            seed=seed,
            out=out,
            **parsed_settings(settings),
        )
    _tell(found, out, "evaluation.html", as_json)


def audit(
    checkpoint: Checkpoint,
    data: Data,
    holdout: Holdout = None,
    text: TextColumn = None,
    label: LabelColumn = None,
    size: Size = None,
    read: Reading = None,
    n: Annotated[
        int | None, typer.Option("-n", "--number", help="Samples to generate; default: ten for each candidate.")
    ] = None,
    references: Annotated[
        list[Path] | None,
        typer.Option("--reference", help="Checkpoint fitted on other data of the kind, for stronger attacks; repeat."),
    ] = None,
    out: Out = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Does it give away what it was fitted on? A privacy claim that does not hold is an error.

    Data and holdout must come of one set that was split at random.

    Example: augsynth audit runs/digits-vae --data digits
    """
    import augsynth

    try:
        with kept_when_stopped(None):
            found = augsynth.audit(
                _source(checkpoint),
                *_split(data, holdout, **reading(text, label, size, read)),
                n=n,
                references=[augsynth.load(one) for one in references or ()],
                seed=seed,
            )
    except augsynth.PrivacyViolationError as error:
        if out is not None:
            error.audit.save(out)
        raise
    if out is not None:
        found.save(out)
    _tell(found, None, "", as_json)


def uplift(
    checkpoint: Checkpoint,
    data: Data,
    holdout: Holdout = None,
    text: TextColumn = None,
    label: LabelColumn = None,
    size: Size = None,
    read: Reading = None,
    ratio: Annotated[float, typer.Option("--ratio", help="Share of synthetic samples.")] = 0.3,
    mode: Annotated[str, typer.Option("--mode", help="replace, append or vary.")] = "replace",
    unlabelled: Annotated[
        str | None, typer.Option("--unlabelled", help="Real data without labels: a judge's labels as one more arm.")
    ] = None,
    classic: Classic = "tune",
    seeds: Annotated[int, typer.Option("--seeds", help="Trainings of each arm.")] = 5,
    steps: Steps = None,
    jobs: Jobs = None,
    out: Out = None,
    device: Device = "cpu",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """What does training gain from them, against classic augmentation? Goes on in --out where it was.

    Example: augsynth uplift runs/digits-vae --data digits --out runs/digits-uplift

    Against labels of a judge: augsynth uplift runs/questions --data few.csv --holdout test.csv --unlabelled more.csv
    """
    import augsynth
    from augsynth.datasets.named import open_dataset

    real, test = _split(data, holdout, **reading(text, label, size, read))
    with kept_when_stopped(None if out is None else f"the trainings that are done are kept in {out}"):
        transform = _classic(classic, real, steps=steps, jobs=jobs, device=device, seed=seed)
        found = augsynth.uplift(
            real,
            test,
            _source(checkpoint),
            ratio=ratio,
            classic=transform,
            blend={"mode": mode},
            unlabelled=None if unlabelled is None else open_dataset(unlabelled, **reading(text, None, size, read)),
            seeds=seeds,
            steps=steps,
            jobs=jobs,
            device=device,
            seed=seed,
            out=out,
        )
    _tell(found, out, "uplift.html", as_json)


def tune(
    generator: Annotated[
        str,
        typer.Argument(help="Name of the generator, as listed by: augsynth plugins.", autocompletion=generators_named),
    ],
    data: Data,
    text: TextColumn = None,
    label: LabelColumn = None,
    size: Size = None,
    read: Reading = None,
    validation: Annotated[float, typer.Option("--validation", help="Share of the data to choose on.")] = 0.25,
    trials: Annotated[int, typer.Option("--trials", help="How many, those of an earlier run included.")] = 20,
    max_time: Annotated[
        str | None, typer.Option("--max-time", help="Stop the search after this time: 30m, 2h.")
    ] = None,
    per_class: Annotated[bool, typer.Option("--per-class", help="Search a ratio for each class.")] = False,
    classic: Classic = "none",
    study: Annotated[Path | None, typer.Option("--study", help="File to keep the search in, to go on later.")] = None,
    steps: Steps = None,
    jobs: Jobs = None,
    out: Out = None,
    device: Device = "cpu",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Search ratio, schedule, temperature, filter and the generator's settings. May answer "don't".

    Example: augsynth tune vae --data digits --trials 20 --study runs/digits.study
    """
    import augsynth
    from augsynth.datasets.named import open_dataset

    real = open_dataset(data, **reading(text, label, size, read))
    with kept_when_stopped(None if study is None else f"the trials that are done are kept in {study}"):
        found = augsynth.tune(
            generator,
            real,
            validation=validation,
            trials=trials,
            max_time=max_time,
            per_class=per_class,
            transform=_classic(classic, real, steps=steps, jobs=jobs, device=device, seed=seed),
            study=study,
            steps=steps,
            jobs=jobs,
            device=device,
            seed=seed,
        )
    if out is not None:
        found.save(out)
        if found.generator is not None:
            found.generator.save(out / "checkpoint")
    if as_json:
        tell(json.dumps(found.to_json(), ensure_ascii=False, default=str))
        return
    tell(found.sentence)
    for row in sorted((r for r in found.trials if r["score"] is not None), key=lambda r: -r["score"])[:5]:
        rest = {key: value for key, value in row.items() if key != "score"}
        tell(f"  {100 * row['score']:.2f} %  {json.dumps(rest, default=lambda x: round(x, 3))}")


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of: augsynth evaluate --out, or augsynth uplift --out.")],
    as_json: AsJson = False,
) -> None:
    """Show a verdict again, and write its page anew where that can be told from its numbers.

    Example: augsynth report runs/digits-uplift
    """
    from augsynth.report.pages import uplift_page
    from augsynth.utility.result import Uplift

    files = {name: folder / f"{name}.json" for name in ("uplift", "evaluation")}
    there = {name: file for name, file in files.items() if file.is_file()}
    if not there:
        expected = " or ".join(file.name for file in files.values())
        raise ConfigError(f"{folder} holds no verdict: expected {expected} in it")
    numbers = {}
    for name, file in there.items():
        try:
            numbers[name] = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ConfigError(f"{file} is no JSON: {error}") from error
    if as_json:
        tell(json.dumps(numbers, ensure_ascii=False))
        return
    if "uplift" in numbers:
        found = Uplift.from_json(numbers["uplift"])
        tell(str(found))
        tell(f"report: {uplift_page(found, folder / 'uplift.html')}")
    if "evaluation" in numbers:
        own = numbers["evaluation"]
        tell(own.get("sentence") or "the evaluation was not finished; what it measured:")
        for name, figure in own.get("figures", {}).items():
            floor = "" if figure["floor"] is None else f"   real {figure['floor']:.4g}"
            tell(f"  {name:<36} {figure['value']:10.4g}{floor}")
        page = folder / "evaluation.html"
        if page.is_file():
            tell(f"report: {page}")


def _source(folder: Path) -> Any:
    """The generator of a checkpoint, or a recording in the place of one."""
    import augsynth
    from augsynth.recording.manifest import MANIFEST

    return augsynth.recorded(folder) if (folder / MANIFEST).is_file() else augsynth.load(folder)


def _split(data: str, holdout: str | None, **options: Any) -> tuple[Any, Any]:
    """Training and held-out data."""
    from augsynth.datasets.named import has_test_split, open_dataset

    if holdout is not None:
        return open_dataset(data, **options), open_dataset(holdout, **options)
    if has_test_split(data):
        return open_dataset(data, **options), open_dataset(data, split="test", **options)
    raise ConfigError(f"data {data!r} has no test split: pass --holdout DATA, which the generator was not fitted on")


def _classic(wanted: str, real: Any, **options: Any) -> Any:
    """The transform that ``--classic`` names, or None."""
    import augsynth

    if wanted == "none":
        return None
    if wanted == "tune":
        chosen = augsynth.tune_classic(real, **options)
        tell(f"classic augmentation: {chosen.name} (chosen on a part of the training data)", err=True)
        return chosen.transform
    return augsynth.create("transform", wanted)


def _tell(found: Any, out: Path | None, page: str, as_json: bool) -> None:
    if as_json:
        tell(json.dumps(found.to_json(), ensure_ascii=False, default=str))
        return
    tell(str(found))
    if out is not None and (out / page).is_file():
        tell(f"report: {out / page}")
