"""augsynth demo"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from augsynth.cli.options import (
    AsJson,
    Device,
    LabelColumn,
    Reading,
    Seed,
    Settings,
    Size,
    TextColumn,
    parsed_settings,
    reading,
)
from augsynth.cli.telling import tell

_TAIL = {"most": 90, "least": 3}
_EACH = 30
_UPDATES = 600  # of the generator for the digits: half a preset, so that both cases take three minutes


def demo(
    data: Annotated[
        str,
        typer.Option("--data", help="digits, fashion-mnist, a folder, .npz, .csv, .jsonl, hf:NAME, module:callable."),
    ] = "digits",
    generator: Annotated[str, typer.Option("--generator", help="Name of the generator.")] = "vae",
    per_class: Annotated[
        int | None,
        typer.Option("--per-class", help="Training samples per class; 0 for all [default: a long tail, and 30]."),
    ] = None,
    ratio: Annotated[float, typer.Option("--ratio", help="Synthetic share of the training samples.")] = 0.5,
    mode: Annotated[str | None, typer.Option("--mode", help="replace or vary [default: vary where possible].")] = None,
    seeds: Annotated[int, typer.Option("--seeds", help="Number of repetitions.")] = 5,
    steps: Annotated[int | None, typer.Option("--steps", help="Updates of the generator.")] = None,
    classifier_steps: Annotated[int, typer.Option("--classifier-steps", help="Updates of the classifier.")] = 600,
    text: TextColumn = None,
    label: LabelColumn = None,
    size: Size = None,
    read: Reading = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.")] = Path("runs/demo"),
    device: Device = "auto",
    seed: Seed = 0,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Fit a generator, blend it in, train with and without, and say whether it helped: where some classes are rare, and
    where all are alike.

    Example: augsynth demo --data fashion-mnist --per-class 100
    """
    from augsynth.datasets.named import has_test_split
    from augsynth.recipe.keys import BlendKeys, DataKeys, GeneratorKeys, Recipe, VerdictKeys
    from augsynth.recipe.page import write_pages
    from augsynth.recipe.reading import recipe_of
    from augsynth.recipe.run import run_recipe
    from augsynth.recipe.writing import recipe_yaml
    from augsynth.registry import create

    chosen = parsed_settings(settings)
    varies = "vary" in create("generator", generator, **chosen).capabilities
    options = {name: value for name, value in reading(text, label, size, read).items() if value is not None}

    def recipe(name: str, about: str, **sets: Any) -> Recipe:
        draws = "each" if sets.get("per_class") or "long_tail" in sets else "one"
        metric = "balanced_accuracy" if "long_tail" in sets else "accuracy"
        holdout = None if has_test_split(data) else 0.3
        made = Recipe(
            DataKeys(data, holdout=holdout, options=options, **sets),
            GeneratorKeys(generator, steps=steps, settings=chosen),
            name=name,
            about=about,
            seed=seed,
            blend=BlendKeys(ratio=ratio, mode=mode or ("vary" if varies else "replace")),
            verdict=VerdictKeys(evaluate=False, seeds=seeds, draws=draws, steps=classifier_steps, metric=metric),
        )
        return recipe_of(recipe_yaml(made), "demo")  # whatever was given is checked there

    if data == "digits" and per_class is None:
        steps = steps or _UPDATES
        cases = {
            "long-tail": recipe(
                "some classes are rare",
                f"From {_TAIL['most']} samples of one digit down to {_TAIL['least']} of another, drawn evenly "
                "in training. Which digits are rare changes with the seed.",
                long_tail=_TAIL,
                sampling="balanced",
            ),
            "balanced": recipe("all classes alike", f"{_EACH} training samples of each digit.", per_class=_EACH),
        }
    else:
        each = _EACH if per_class is None else per_class or None
        cases = {"result": recipe(data, "", per_class=each)}
    outcomes = {}
    for i, (name, one) in enumerate(cases.items(), 1):
        if not as_json:
            tell(f"{i}/{len(cases)}  {one.name}: fit {generator}, then train small classifiers")
        outcomes[name] = run_recipe(one, out / name, device=device, redo=True, progress=not as_json)
        if not as_json:
            tell(f"     {outcomes[name].sentence}")
    page = write_pages(outcomes, out / "index.html")
    if as_json:
        tell(json.dumps({name: one.to_json() for name, one in outcomes.items()}, ensure_ascii=False, default=str))
        return
    first = out / next(iter(outcomes))
    tell(f"Look at {page or first / 'results.json'}; every number is in results.json, the generators beside it.")
    tell("Next: augsynth demo --data PATH/TO/YOUR/FOLDER, or wrap your own dataset:")
    tell(f"     gen = augsynth.load({str(first / 'generator-0')!r})")
    tell("     blended = augsynth.SyntheticDataset(your_dataset, gen, ratio=0.3, seed=0)")
    tell(f"Each is a recipe: augsynth run {first / 'recipe.yaml'}")
