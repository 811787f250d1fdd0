"""Fuzz the readers with atheris (https://github.com/google/atheris), each for some time, and keep what they fall over.

    pip install atheris
    python fuzz/run.py --seconds 60
    python fuzz/run.py --seconds 600 npz image

What is found goes to ``fuzz/found/<target>/``, where a test tries it again for ever, without atheris.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]


def fuzz(target: str, seconds: int) -> None:
    """In a process of its own: it ends with the process."""
    import atheris

    with atheris.instrument_imports(include=["augsynth"]):
        import targets

    corpus = Path(tempfile.mkdtemp())
    for i, content in enumerate(targets.seeds(target)):
        (corpus / str(i)).write_bytes(content)
    found = HERE / "found" / target
    found.mkdir(parents=True, exist_ok=True)

    def mutate(content: bytes, size: int, seed: int) -> bytes:
        """Bytes as libFuzzer changes them, or words of the format in other places: half of the time each."""
        random.seed(seed)
        if seed % 2 or len(content) < 8:
            made: bytes = atheris.Mutate(content, size)
            return made
        words = [
            b"0",
            b"-1",
            b"1e999",
            b"null",
            b"[]",
            b"{}",
            b'""',
            b"9" * 30,
            b"true",
            b"../../x",
            b"\x00",
            b"\xff" * 4,
        ]
        start = random.randrange(len(content))
        end = min(len(content), start + random.choice((0, 1, 2, 4, 16)))
        return (content[:start] + random.choice(words) + content[end:])[:size]

    options = [f"-max_total_time={seconds}", f"-artifact_prefix={found}/", "-timeout=20", "-rss_limit_mb=4096"]
    atheris.Setup(
        [sys.argv[0], *options, "-max_len=65536", "-print_final_stats=1", str(corpus)],
        lambda content: targets.run(target, content),
        custom_mutator=mutate,
    )
    atheris.Fuzz()


def main() -> None:
    """Each target in a process of its own, one after another."""
    from targets import TARGETS

    parser = argparse.ArgumentParser()
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(TARGETS)}; default: all")
    parser.add_argument("--seconds", type=int, default=60, help="for each")
    parser.add_argument("--one", help="in this process")
    options = parser.parse_args()
    if options.one:
        fuzz(options.one, options.seconds)
        return
    for target in options.targets or TARGETS:
        started = time.perf_counter()
        command = [sys.executable, __file__, "--one", target, "--seconds", str(options.seconds)]
        done = subprocess.run(command, capture_output=True, text=True)
        lines = (done.stderr + done.stdout).splitlines()
        units = next((line.split()[-1] for line in lines if "number_of_executed_units" in line), "?")
        print(
            f"{target}: {units} cases in {time.perf_counter() - started:.0f} s, exit code {done.returncode}", flush=True
        )
        if done.returncode:
            print("\n".join(lines[-40:]), flush=True)


if __name__ == "__main__":
    main()
