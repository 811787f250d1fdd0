"""Mass generation on Ray Data: over two bare processes, its memory, and what two killed processes change.

The bound is what processes of one core each sample side by side, without writing anything. The two runs of
``generate`` differ in that processes of the second are killed, twice; their manifests have to be equal.

    python benchmarks/bench_generate.py --samples 2000000
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import psutil
import torch
from common import record

import augsynth
from augsynth.datasets.named import open_dataset


def watch(stop: threading.Event, kills: list[float], seen: dict[str, Any]) -> None:
    """Note the largest memory of a process that samples, and kill one at each time that is left in ``kills``."""
    started = None
    while not stop.wait(0.5):
        for process in psutil.Process().children(recursive=True):
            try:
                if "MapWorker" not in " ".join(process.cmdline()):
                    continue
                started = started or time.monotonic()
                seen["largest process, MiB"] = max(
                    seen.get("largest process, MiB", 0), process.memory_info().rss / 2**20
                )
                if kills and time.monotonic() - started > kills[0]:
                    kills.pop(0)
                    os.kill(process.pid, signal.SIGKILL)
                    seen["killed"] += 1
            except psutil.Error:
                continue


def generated(gen: Any, n: int, cores: int, kills: list[float]) -> dict[str, Any]:
    """Seconds, memory, and the manifest of one run."""
    stop, seen = threading.Event(), {"killed": 0}
    thread = threading.Thread(target=watch, args=(stop, kills, seen))
    thread.start()
    with tempfile.TemporaryDirectory() as out:
        started = time.perf_counter()
        augsynth.generate(gen, n, out, seed=0, num_workers=cores, progress=False)
        seconds = time.perf_counter() - started
        stop.set()
        thread.join()
        manifest = json.loads((Path(out) / "recording.json").read_text())
        size = sum(file.stat().st_size for file in Path(out).iterdir())
    return {"seconds": seconds, "samples/s": n / seconds, "MiB written": size / 2**20, **seen, "manifest": manifest}


def bare(folder: Path, n: int, cores: int) -> float:
    """Samples a second of ``cores`` processes side by side, of one core each, that write nothing."""
    code = (
        "import sys, time, torch, augsynth\n"
        "torch.set_num_threads(1)\n"
        "gen, n = augsynth.load(sys.argv[1]), int(sys.argv[2])\n"
        "gen.sample(5000, seed=1)\n"
        "started = time.perf_counter()\n"
        "for part in range(n // 20000):\n"
        "    gen.sample(20000, seed=part)\n"
        "print(n // 20000 * 20000 / (time.perf_counter() - started))\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", code, str(folder), str(n)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(cores)]
    return sum(float(one.communicate()[0]) for one in running)


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=2_000_000)
    parser.add_argument("--few", type=int, default=200_000, help="of a shorter run, to compare memory with")
    parser.add_argument("--data", default="fashion-mnist")
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    data = open_dataset(options.data)
    gen = augsynth.fit(
        "vae", data.subset(torch.arange(min(len(data), 1000))), steps=200, seed=0, device="cpu", progress=False
    )
    with tempfile.TemporaryDirectory() as folder:
        bound = bare(gen.save(Path(folder) / "gen"), options.few, options.cores)
    print(f"bound {bound:,.0f} samples/s", flush=True)
    few = generated(gen, options.few, options.cores, [])
    whole = generated(gen, options.samples, options.cores, [])
    hurt = generated(gen, options.samples, options.cores, [20.0, 60.0])
    equal = whole.pop("manifest") == hurt.pop("manifest")
    files = len(few.pop("manifest")["shards"])
    record(
        "generate",
        {
            "samples": options.samples,
            "cores": options.cores,
            "bound, samples/s": bound,
            "over the bound": whole["samples/s"] / bound,
            "over the bound, without the start": (options.samples - options.few)
            / (whole["seconds"] - few["seconds"])
            / bound,
            "a tenth of it": {**few, "files": files},
            "undisturbed": whole,
            "with processes killed": hurt,
            "manifests equal": equal,
        },
    )


if __name__ == "__main__":
    main()
