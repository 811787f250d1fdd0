"""augsynth distill"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from augsynth.cli.options import AsJson, Device, Seed, Settings, parsed_settings
from augsynth.cli.stopping import STOPPED
from augsynth.cli.telling import tell


def distill(
    checkpoint: Annotated[Path, typer.Argument(help="Folder written by: augsynth fit.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the student's checkpoint.")],
    steps: Annotated[int, typer.Option("--steps", help="Updates of the student.")] = 3000,
    max_time: Annotated[str | None, typer.Option("--max-time", help="Stop after this time: 90s, 5m, 1h.")] = None,
    device: Device = "auto",
    seed: Seed = 0,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Fit a smaller generator that makes nearly the same samples, faster. No data are needed.

    Example: augsynth distill runs/digits-vae --out runs/digits-vae-fast
    """
    import augsynth
    from augsynth.checkpoint.writing import check_place

    check_place(out)  # before anybody waits
    made = augsynth.distill(
        augsynth.load(checkpoint),
        steps=steps,
        max_time=max_time,
        device=device,
        seed=seed,
        **parsed_settings(settings),
    )
    made.save(out)
    info = {key: value for key, value in made.fit_info.items() if key != "history"}
    stopped = info["ended"] == "interrupted"
    if as_json:
        tell(json.dumps({"checkpoint": str(out), "generator": made.plugin, **info}, indent=2, ensure_ascii=False))
    else:
        tell(
            f"{made.plugin}: {info['ended']} after {info['steps']} steps, {info['seconds']} s; values of samples are "
            f"{info['distillation_error']:.3f} of a range of 2 away from the teacher's, on average"
        )
        tell(f"checkpoint: {out}; hold both against held-out data: augsynth evaluate {out} --data ...")
    raise typer.Exit(STOPPED if stopped else 0)
