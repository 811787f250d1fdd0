"""A fit from a file against a fit from memory: memory that the samples take, and the share of a step that reads them.

python benchmarks/bench_fit_data.py [--samples 20000 150000] [--steps 40]

The samples are a stream that is never in memory: 3×64×64 bytes of noise, for which a narrow GAN is fitted. Each way
runs in a process of its own; "cold" means that nothing of the file is in the page cache when the steps begin (needs
root).
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import torch
from common import record
from torch.utils.data import IterableDataset

import augsynth
from augsynth.fitting.training_data import TrainingData

BATCH = 64


class Photos(IterableDataset):
    """n images of 3×64×64 bytes, each other, of two classes."""

    def __init__(self, n):
        self.n = n
        self.base = torch.randint(256, (512, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))

    def __iter__(self):
        for i in range(self.n):
            image = self.base[i % 512].roll(i // 512, -1)
            image[0, 0, 0] = i % 256
            yield image, i % 2


def anonymous():
    """MiB of memory of this process that no file backs: what it really takes."""
    line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("RssAnon"))
    return int(line.split()[1]) / 1024


def one(way, n, steps):
    """What a fit takes that reads its samples in one ``way``: anonymous memory in MiB, and times."""
    reading, most, over, times = [0.0], [0.0], threading.Event(), []

    def watch():
        while not over.wait(0.05):
            most[0] = max(most[0], anonymous())

    usual = TrainingData.batch_at

    def timed(self, *arguments):
        began = time.perf_counter()
        made = usual(self, *arguments)
        reading[0] += time.perf_counter() - began
        return made

    def looked(step, losses):
        if step == 20 and way == "cold":
            Path("/proc/sys/vm/drop_caches").write_text("1")
        if step in (20, 20 + steps):  # what comes before is for warming up
            times.append((time.perf_counter(), reading[0]))

    TrainingData.batch_at = timed
    torch.set_num_threads(1)
    before = anonymous()
    watcher = threading.Thread(target=watch)
    watcher.start()
    with tempfile.TemporaryDirectory(dir=Path.home()) as folder:
        augsynth.fit("gan", Photos(n), width=16, steps=20 + steps, batch_size=BATCH, seed=0, device="cpu",
                     progress=False, callback=looked, cache_dir=None if way == "memory" else folder)  # fmt: skip
    over.set()
    watcher.join()
    (began, read), (ended, read_then) = times
    return {
        "mib": round(most[0] - before),
        "ms_per_step": round(1000 * (ended - began) / steps, 2),
        "ms_reading": round(1000 * (read_then - read) / steps, 3),
        "share_reading": round((read_then - read) / (ended - began), 4),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, nargs="+", default=[20_000, 150_000])
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.one, options.samples[0], options.steps)))
        return
    rows = []
    for n in options.samples:
        for way in ("memory", "file", "cold"):
            command = [sys.executable, __file__, "--one", way, "--samples", str(n), "--steps", str(options.steps)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            rows.append(
                {
                    "samples": n,
                    "gib": round(n * 3 * 64 * 64 / 2**30, 2),
                    "way": way,
                    **json.loads(done.stdout.splitlines()[-1]),
                }
            )
            print(rows[-1], flush=True)
    record("fit-data", {"batch": BATCH, "steps": options.steps, "rows": rows})


if __name__ == "__main__":
    main()
