"""What importing augsynth adds to importing torch, and how soon `augsynth plugins` answers."""

from __future__ import annotations

import statistics
import subprocess
import sys

from common import in_turns, record

EVERYTHING = "import torch, augsynth; augsynth.SyntheticDataset, augsynth.fit, augsynth.load"


def run(*arguments: str):
    return lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def main() -> None:
    seconds = in_turns(
        {
            "python": run("-c", "pass"),
            "torch": run("-c", "import torch"),
            "torch and augsynth": run("-c", "import torch, augsynth"),
            "torch, and all of augsynth that blending and fitting need": run("-c", EVERYTHING),
            "augsynth plugins": run("-m", "augsynth", "plugins"),
        },
        repeats=9,
    )
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    torch_alone = medians["torch"]
    figures = {
        "seconds": medians,
        "import augsynth adds to import torch": medians["torch and augsynth"] - torch_alone,
        "all of it adds to import torch": medians["torch, and all of augsynth that blending and fitting need"]
        - torch_alone,
    }
    record("startup", figures)


if __name__ == "__main__":
    main()
