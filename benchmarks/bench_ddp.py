"""What a second process gains a fit on one machine: updates a second of the same fit, at the same global batch.

One process with one thread, one with two, and two with one each (``strategy="ddp"``, gloo); images 3x64x64, the presets
of the generators. The cost of starting processes is not counted: ``fit_info`` has the seconds of the updates.

    python benchmarks/bench_ddp.py
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import median_ratio, record

FIT = """
import json, sys, warnings
import torch
from torch.utils.data import TensorDataset
import augsynth

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    name, out, steps, strategy = sys.argv[1:]
    x = torch.rand((1000, 3, 64, 64), generator=torch.Generator().manual_seed(0))
    more = {"strategy": strategy} if strategy else {}
    gen = augsynth.fit(name, TensorDataset(x, torch.arange(1000) % 10), steps=int(steps), batch_size=128, seed=0,
                       patience=None, validation=0.0, progress=False, device="cpu", **more)
    with open(out, "w") as file:
        json.dump(gen.fit_info["seconds"], file)
"""
CASES = {  # processes, threads of each
    "one process, one thread": (1, 1),
    "one process, two threads": (1, 2),
    "two processes": (2, 1),
}


def seconds(name: str, steps: int, processes: int, threads: int, folder: Path) -> float:
    """Of a fit, without its start."""
    script, out = folder / "fit.py", folder / "seconds.json"
    script.write_text(FIT)
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    command = [sys.executable, *(launch if processes > 1 else []), str(script), name, str(out), str(steps)]
    env = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    subprocess.run([*command, "ddp" if processes > 1 else ""], env=env, check=True, capture_output=True)
    return float(json.loads(out.read_text()))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--generators", nargs="+", default=["vae", "flow"])
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    figures: dict[str, Any] = {"steps": options.steps, "global batch": 128}
    with tempfile.TemporaryDirectory() as folder:
        for name in options.generators:
            rows: dict[str, list[float]] = {case: [] for case in CASES}
            for _ in range(options.turns):
                for case, (processes, threads) in CASES.items():
                    rows[case].append(seconds(name, options.steps, processes, threads, Path(folder)))
                print(name, {case: round(own[-1], 2) for case, own in rows.items()}, flush=True)
            alone = rows["one process, one thread"]
            figures[name] = {
                case: {
                    "updates a second": options.steps / sorted(own)[len(own) // 2],
                    "over one process with one thread": median_ratio(alone, own),
                }
                for case, own in rows.items()
            }
    record("ddp", figures)


if __name__ == "__main__":
    main()
