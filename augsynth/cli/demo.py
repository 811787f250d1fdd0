"""augsynth demo"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

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


def demo(
    data: Annotated[
        str,
        typer.Option("--data", help="digits, fashion-mnist, a folder, .npz, .csv, .jsonl, hf:NAME, module:callable."),
    ] = "digits",
    generator: Annotated[str, typer.Option("--generator", help="Name of the generator.")] = "vae",
    per_class: Annotated[int, typer.Option("--per-class", help="Training samples per class; 0 for all.")] = 30,
    ratio: Annotated[float, typer.Option("--ratio", help="Synthetic share of the training samples.")] = 0.5,
    seeds: Annotated[int, typer.Option("--seeds", help="Number of repetitions.")] = 3,
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
    """Fit a generator, blend it in, train with and without, and say whether it helped.

    Example: augsynth demo --data fashion-mnist --per-class 100
    """
    from augsynth._atomic import atomic_file
    from augsynth.demo.experiment import Settings as ExperimentSettings
    from augsynth.demo.experiment import run
    from augsynth.demo.page import template_module, write_page
    from augsynth.demo.pictures import draw_curves, draw_grid, figure_module

    figure_module(), template_module()  # a missing extra is better told before the work than after it
    chosen = ExperimentSettings(
        data=data, generator=generator, per_class=per_class or None, ratio=ratio, seeds=seeds, steps=steps,
        classifier_steps=classifier_steps, seed=seed, device=device, config=parsed_settings(settings),
        reading=reading(text, label, size, read),
    )  # fmt: skip
    if not as_json:
        typer.echo(f"1/3  fit {generator} on {data}, then train {2 * seeds} small classifiers")
    outcome = run(chosen, out, show=not as_json)
    numbers = outcome.to_json()
    with atomic_file(out / "results.json") as draft:
        draft.write_text(json.dumps(numbers, indent=2, ensure_ascii=False), encoding="utf-8")
    grid = draw_grid(outcome, out / "grid.png")
    draw_curves(outcome, out / "curves.png")
    write_page(outcome, grid, out / "curves.png", out / "index.html")
    if as_json:
        typer.echo(json.dumps(numbers, ensure_ascii=False))
        return
    agreement = sum(outcome.faithfulness.values()) / len(outcome.faithfulness)
    typer.echo(f"2/3  {outcome.verdict.sentence}")
    typer.echo(f"     A classifier trained on real data agrees with the label of {agreement:.1%} of the samples.")
    typer.echo(f"3/3  Look at {out / 'index.html'}, or at {grid} and {out / 'curves.png'};")
    typer.echo(f"     every number is in {out / 'results.json'}, the generator in {out / 'checkpoint'}.")
    typer.echo("Next: augsynth demo --data PATH/TO/YOUR/FOLDER, or wrap your own dataset:")
    typer.echo(f"     gen = augsynth.load({str(out / 'checkpoint')!r})")
    typer.echo("     blended = augsynth.SyntheticDataset(your_dataset, gen, ratio=0.3, seed=0)")
