"""The ratios that the page of speeds shows and a regression check holds against those recorded before.

python benchmarks/watched.py            results in the working tree against those of the last commit; 1 if one is worse
python benchmarks/watched.py --draw     docs/assets/speed.png
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import RESULTS
from rich.console import Console
from rich.table import Table

WORSE = (
    0.10  # by which share a ratio may be worse before it counts: what two runs of one commit differ by on a busy day
)
PICTURE = Path(__file__).parents[1] / "docs" / "assets" / "speed.png"


@dataclass(frozen=True)
class Ratio:
    """One figure; more is better.

    Attributes:
        group: over what it is, as the picture's heading says it.
        name: what is measured.
        file, path: where it stands in the results.
        goal: what was aimed at, or None.
    """

    group: str
    name: str
    file: str
    path: tuple[str, ...]
    goal: float | None = None

    def of(self, results: Any) -> float | None:
        """Its value in the parsed file, or None where it is not there."""
        found = results.get("figures", {})
        for key in self.path:
            found = found.get(key) if isinstance(found, dict) else None
        found = found[0] if isinstance(found, list) and found else found
        return float(found) if isinstance(found, (int, float)) else None


BARE = "speed of an epoch over the bare dataset in a stock loader (1 is as fast)"
BOUND = "share of what the work itself allows (1 is the bound)"
OTHER = "times as fast as the usual way"
WATCHED = (
    Ratio(BARE, "28×28, half from a pool, augsynth.collate", "collate",
          ("28x28, 0 workers", "speed over bare", "0.5, augsynth.collate"), goal=1.5),
    Ratio(BARE, "28×28, half from a pool, stock collate", "collate",
          ("28x28, 0 workers", "speed over bare", "0.5, stock collate"), goal=1.0),
    Ratio(BARE, "28×28, the same in two workers, augsynth.collate", "collate",
          ("28x28, 2 workers", "speed over bare", "0.5, augsynth.collate")),
    Ratio(BARE, "64×64 RGB, half from a pool, augsynth.collate", "collate",
          ("64x64 RGB, 0 workers", "speed over bare", "0.5, augsynth.collate"), goal=1.5),
    Ratio(BARE, "64×64 RGB, half from a pool, stock collate", "collate",
          ("64x64 RGB, 0 workers", "speed over bare", "0.5, stock collate"), goal=1.0),
    Ratio(BARE, "64×64 RGB, beside a process that keeps the cores busy", "collate",
          ("64x64 RGB, 0 workers, busy cores", "speed over bare", "0.5, augsynth.collate")),
    Ratio(BARE, "28×28, no synthetic sample, stock collate", "collate",
          ("28x28, 0 workers", "speed over bare", "0, stock collate"), goal=0.99),
    Ratio(BOUND, "made while loading, VAE", "loader", ("ratio 0.5, vae", "share of the bound by sample"), goal=0.95),
    Ratio(BOUND, "made while loading, GAN", "loader", ("ratio 0.5, gan", "share of the bound by sample"), goal=0.95),
    Ratio(BOUND, "the same in two workers, VAE", "loader",
          ("ratio 0.5, vae", "share of the bound in 2 workers"), goal=0.95),
    Ratio(BOUND, "the same in two workers, GAN", "loader",
          ("ratio 0.5, gan", "share of the bound in 2 workers"), goal=0.95),
    Ratio(BOUND, "made beside the loop by a pool, VAE", "pool",
          ("live", "vae", "thread", "of the bound of all work"), goal=0.95),
    Ratio(BOUND, "texts with AEDA", "text", ("loader, ratio 0.5 with aeda", "share of the bound")),
    Ratio(BOUND, "millions of samples by two processes of Ray", "generate",
          ("over the bound, without the start",), goal=0.9),
    Ratio(OTHER, "one request a batch, over one a sample, VAE", "loader", ("ratio 0.5, vae", "factor over naive")),
    Ratio(OTHER, "one request a batch, over one a sample, GAN", "loader", ("ratio 0.5, gan", "factor over naive")),
    Ratio(OTHER, "EDA's synonyms, over nlpaug", "text", ("transforms", "eda synonym", "times as fast as nlpaug")),
    Ratio(OTHER, "texts in batches of 256, over one at a time", "text", ("sampling", "times as fast as one at a time")),
    Ratio(OTHER, "GAN in the form for sampling, over that of training", "inference",
          ("gan {'width': 64}", "eager", "factor"), goal=3.0),
)  # fmt: skip


def now(ratio: Ratio) -> float | None:
    """As it stands in the working tree."""
    file = RESULTS / f"{ratio.file}.json"
    return ratio.of(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None


def before(ratio: Ratio) -> float | None:
    """As it was committed."""
    name = f"HEAD:./results/{ratio.file}.json"
    shown = subprocess.run(["git", "show", name], cwd=RESULTS.parent, capture_output=True, text=True, check=False)
    return ratio.of(json.loads(shown.stdout)) if shown.returncode == 0 else None


def compared() -> int:
    """Print both; returns how many are worse."""
    table, worse = Table("ratio", "before", "now", "goal", title="watched ratios"), 0
    for ratio in WATCHED:
        new, old = now(ratio), before(ratio)
        bad = new is not None and old is not None and new < old * (1 - WORSE)
        worse += bad
        shown = [f"{value:.2f}" if value is not None else "not there" for value in (old, new)]
        table.add_row(ratio.name, shown[0], f"{shown[1]}{' worse' if bad else ''}", f"{ratio.goal or '':}")
    Console().print(table)
    return worse


def draw(picture: Path = PICTURE) -> None:
    """The ratios as bars, with 1 and the goals marked."""
    from matplotlib.figure import Figure

    groups = [BARE, BOUND, OTHER]
    rows = {group: [(r, v) for r in WATCHED if r.group == group and (v := now(r)) is not None] for group in groups}
    figure = Figure(figsize=(9, 7.6), layout="constrained")
    figure.suptitle("mark: the goal; orange: missed", fontsize=9, x=0.99, ha="right", color="dimgrey")
    axes = figure.subplots(3, 1, height_ratios=[len(rows[group]) + 1 for group in groups])
    for group, axis in zip(groups, axes, strict=True):
        own = rows[group][::-1]
        values = [value for _, value in own]
        missed = [r.goal is not None and value < r.goal for r, value in own]
        axis.barh(range(len(own)), values, color=["#c98a3a" if miss else "#4a6fa5" for miss in missed], height=0.6)
        for y, (ratio, value) in enumerate(own):
            axis.text(max(value, ratio.goal or 0), y, f"  {value:.3g}", va="center", fontsize=9)
            if ratio.goal is not None:
                axis.plot([ratio.goal] * 2, [y - 0.42, y + 0.42], color="black", linewidth=2)
        axis.set_yticks(range(len(own)), [r.name for r, _ in own], fontsize=9)
        axis.set_title(group, fontsize=10, loc="left")
        axis.set_xlim(0, max([*values, *(r.goal or 0 for r, _ in own)]) * 1.12)
        if group != OTHER:
            axis.axvline(1, color="grey", linewidth=0.8, linestyle=":")
        axis.spines[["top", "right"]].set_visible(False)
    picture.parent.mkdir(exist_ok=True)
    figure.savefig(picture, dpi=110)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draw", action="store_true")
    if parser.parse_args().draw:
        draw()
        return 0
    return 1 if compared() else 0


if __name__ == "__main__":
    sys.exit(main())
