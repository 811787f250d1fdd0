"""What every benchmark shares: timing in turns, the machine, and results on disk."""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from torch.utils.data import Subset

from augsynth.labels.frequencies import evenly

RESULTS = Path(__file__).parent / "results"

_work: Any = None  # what forked processes inherit, closures too


def machine() -> dict[str, Any]:
    """The machine and the versions that a figure belongs to."""
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "torch_threads": torch.get_num_threads(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("augsynth", "torch", "numpy")},
    }


def apart(run: Callable[..., Any], calls: Sequence[tuple[Any, ...]], jobs: int) -> Iterator[Any]:
    """What ``run`` returns for each of the calls, with more than one job in forked processes: this one then leaves a
    GPU alone, as it has to where it forks others later."""
    if jobs == 1:
        yield from (run(*arguments) for arguments in calls)
        return
    global _work
    _work = run
    with ProcessPoolExecutor(min(jobs, len(calls)), multiprocessing.get_context("fork")) as executor:
        yield from executor.map(_called, calls)


def _called(arguments: tuple[Any, ...]) -> Any:
    torch.set_num_threads(1)
    return _work(*arguments)


def in_turns(cases: dict[str, Callable[[], Any]], repeats: int, warmup: int = 1) -> dict[str, list[float]]:
    """Seconds of each case, timed A B A B ..., so that a drift of the machine meets all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for turn in range(-warmup, repeats):
        for name, run in cases.items():
            started = time.perf_counter()
            run()
            if turn >= 0:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def median_ratio(numerator: list[float], denominator: list[float]) -> float:
    """Median of the ratios of neighbouring runs."""
    return statistics.median(a / b for a, b in zip(numerator, denominator, strict=True))


def drawn_evenly(real: Any) -> Subset[Any]:
    """A dataset with ``targets``, every class as often as the most frequent one, its samples in turns."""
    return Subset(real, evenly(torch.tensor(real.targets), torch.arange(len(real))).tolist())


def record(name: str, figures: Any) -> None:
    """Print the figures, and write them with the machine to ``results/<name>.json``."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"benchmark": name, "machine": machine(), "figures": figures}, indent=2, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    table = Table("figure", "value", title=name, title_justify="left")
    for path, value in _flat(figures):
        table.add_row(escape(path), f"{value:,.4g}" if isinstance(value, float) else escape(str(value)))
    Console().print(table)


def _flat(figures: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(figures, dict):
        for key, value in figures.items():
            yield from _flat(value, f"{path} · {key}" if path else str(key))
    else:
        yield path, figures
