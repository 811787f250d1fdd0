"""augsynth fit"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from augsynth.cli.completing import generators_named
from augsynth.cli.options import (
    AsJson,
    Data,
    Device,
    LabelColumn,
    Reading,
    Seed,
    Settings,
    Size,
    TextColumn,
    Topics,
    parsed_settings,
    reading,
)
from augsynth.cli.stopping import STOPPED
from augsynth.cli.telling import tell


def fit(
    generator: Annotated[
        str,
        typer.Argument(help="Name of the generator, as listed by: augsynth plugins.", autocompletion=generators_named),
    ],
    data: Data,
    out: Annotated[Path, typer.Option("--out", help="Folder of the checkpoint.")],
    text: TextColumn = None,
    label: LabelColumn = None,
    topics: Topics = None,
    steps: Annotated[int | None, typer.Option("--steps", help="Updates; default by the amount of data.")] = None,
    max_time: Annotated[str | None, typer.Option("--max-time", help="Stop after this time: 90s, 5m, 1h.")] = None,
    size: Size = None,
    read: Reading = None,
    device: Device = "auto",
    strategy: Annotated[
        str, typer.Option("--strategy", help="ddp: share the fit among the processes that torchrun started.")
    ] = "auto",
    cache_dir: Annotated[
        Path | None, typer.Option("--cache-dir", help="Keep the samples in a file there, not in memory.")
    ] = None,
    seed: Seed = 0,
    epsilon: Annotated[
        float | None,
        typer.Option(
            "--epsilon", help="Differential privacy: bound on what tells of a sample, 10 or less; see --delta."
        ),
    ] = None,
    delta: Annotated[
        float | None, typer.Option("--delta", help="Differential privacy: below 1 / n. Goes with --epsilon.")
    ] = None,
    contributions: Annotated[
        int, typer.Option("--max-contributions", help="Samples of one person, at most; the noise grows with them.")
    ] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in --out.")] = False,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Fit a generator and save it.

    Example: augsynth fit vae --data digits --out runs/digits-vae

    A table: augsynth fit lstm --data questions.csv --text text --label label --out runs/questions

    By topic: augsynth fit lstm --data questions.csv --text text --topics 8 --out runs/questions

    In two processes: torchrun --nproc-per-node 2 -m augsynth fit flow --data photos --out runs/photos --strategy ddp

    With differential privacy: augsynth fit merf --data digits --epsilon 3 --delta 1e-5 --out runs/digits-private
    """
    import augsynth
    from augsynth.checkpoint.format import CARD
    from augsynth.datasets.named import open_dataset
    from augsynth.privacy.statement import told
    from augsynth.recognition import modality_of

    if (epsilon is None) != (delta is None):
        raise augsynth.ConfigError(f"--epsilon {epsilon}, --delta {delta}: a privacy budget needs both")
    if contributions != 1 and epsilon is None:
        raise augsynth.ConfigError(f"--max-contributions {contributions}: goes with --epsilon and --delta")
    made = augsynth.fit(
        generator,
        open_dataset(data, **reading(text, label, size, read)),
        steps=steps,
        max_time=max_time,
        device=device,
        strategy=strategy,
        seed=seed,
        cache_dir=cache_dir,
        checkpoint_dir=out,
        resume=resume,
        topics=topics,
        privacy=None if epsilon is None or delta is None else augsynth.Privacy(epsilon, delta, contributions),
        **parsed_settings(settings),
    )
    info = {
        "checkpoint": str(out),
        "generator": made.plugin,
        **{k: v for k, v in made.fit_info.items() if k != "history"},
    }
    found = list(made.spec.topics.names) if topics is not None else []
    if found:
        info["topics"] = found
    stopped = info["ended"] == "interrupted"
    if strategy != "auto" and os.environ.get("RANK", "0") != "0":
        raise typer.Exit(STOPPED if stopped else 0)  # the first process speaks for all
    if as_json:
        tell(json.dumps(info, indent=2, ensure_ascii=False))
        raise typer.Exit(STOPPED if stopped else 0)
    tell(
        f"{made.plugin}: {info['ended']} after {info['steps']} steps, {info['seconds']} s, on {info['samples']} samples"
    )
    if (stated := made.fit_info.get("privacy")) is not None:
        tell(f"{told(stated)}; what is not covered stands in {out / CARD}")
    preview = next(out.glob("preview.*"), None)
    suffix = modality_of(made.spec).suffixes[0]
    if found:
        tell("topics:\n" + "\n".join(f"  {i}: {name}" for i, name in enumerate(found)))
    tell(f"checkpoint: {out}" + ("" if preview is None else f"   look at: {preview}"))
    if stopped:
        tell(f"stopped; what was fitted is kept in {out}: the same command with --resume goes on from there", err=True)
        raise typer.Exit(STOPPED)
    tell(f"next: augsynth sample {out} -n 64 --out {out}-samples{suffix}")
