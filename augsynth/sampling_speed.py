"""Find by measurement how a generator makes samples fastest on this machine, and remember it."""

from __future__ import annotations

import hashlib
import json
import logging
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from augsynth._atomic import atomic_file
from augsynth._cache import cache_folder

log = logging.getLogger("augsynth")

SIZES = (16, 32, 64, 128, 256)
LEVEL = 2 / 255
"""One step of an 8-bit value, on [-1, 1]."""
_REPEATS = 5
_WORTH = 1.05  # a form that is hardly faster is not worth another arithmetic
_SHARE = 0.999  # of the values, which must be within LEVEL


def tuned(gen: Any, n: int, *, compile: bool, autocast: bool, again: bool) -> dict[str, Any]:
    """Measure, and leave ``gen`` set to the fastest. Arguments and result as of :meth:`Generator.tune_sampling`."""
    device = gen.device
    kind = device.type
    autocast = autocast and gen.spec.tensors  # what another object is would change with the arithmetic
    described = {"plugin": gen._name, "n": n, "compile": compile, "autocast": autocast, "config": gen.config}
    key = _key(device, described)
    classes = torch.arange(n) % gen.spec.num_classes if gen.conditional else None
    topics = None if gen._known_topics is None else torch.zeros(n, dtype=torch.int64)
    before = gen.micro_batch

    def draw(size: int) -> Any:
        gen.micro_batch = {**before, kind: size}
        made = gen.draw_many(classes, torch.arange(n), topics)
        if kind == "cuda":
            torch.cuda.synchronize(device)
        return made

    compile = compile and _compiles(gen, lambda: draw(before.get(kind, n)))
    known = None if again else _remembered(key)
    if known is None or known.get("compiled") != compile:
        sizes = tuple(size for size in SIZES if size <= n) or (n,)
        gen._fast.set(compiled=compile)
        seconds, lower = _measured(draw, sizes), False
        if autocast:
            exact = draw(min(seconds, key=seconds.__getitem__))
            gen._fast.set(compiled=compile, autocast=True)
            if _alike(exact, draw(sizes[-1])):
                own = _measured(draw, sizes)
                lower = min(seconds.values()) > _WORTH * min(own.values())
                seconds = own if lower else seconds
            else:
                log.info("bfloat16 changes the samples by more than a level of 8 bits: float32 stays")
        rates = {str(size): round(n / s, 1) for size, s in seconds.items()}
        best = min(seconds, key=seconds.__getitem__)
        known = {"micro_batch": best, "samples_per_second": rates, "compiled": compile, "autocast": lower}
        _remember(key, known)
    gen._fast.set(compiled=compile, autocast=bool(known.get("autocast")))
    gen.micro_batch = {**before, kind: int(known["micro_batch"])}
    return known


def _compiles(gen: Any, draw: Callable[[], Any]) -> bool:
    gen._fast.set(compiled=True)
    try:
        draw()
    except Exception as error:  # a missing compiler, an operator it does not know: many kinds
        log.warning("the networks cannot be compiled, and are used as they are: %s", str(error).splitlines()[0])
        return False
    return True


def _alike(exact: Tensor, other: Tensor) -> bool:
    """Whether all but one value in a thousand are within a level of an 8-bit image."""
    return float(((exact - other).abs() <= LEVEL).double().mean()) >= _SHARE


def _measured(draw: Callable[[int], Any], sizes: tuple[int, ...]) -> dict[int, float]:
    """Seconds for a request, by the size of the parts it is made in: the median of several runs in turns."""
    seconds: dict[int, list[float]] = {size: [] for size in sizes}
    for turn in range(-1, _REPEATS):
        for size in sizes:
            began = time.perf_counter()
            draw(size)
            if turn >= 0:
                seconds[size].append(time.perf_counter() - began)
    return {size: statistics.median(own) for size, own in seconds.items()}


def _key(device: torch.device, described: Mapping[str, Any]) -> str:
    """What a measurement belongs to: machine, versions, threads, and the generator."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    parts = [platform.node(), name, torch.__version__, torch.get_num_threads(), dict(described)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:24]


def _remembered(key: str) -> dict[str, Any] | None:
    """What was measured for ``key`` on this machine, or None."""
    try:
        found = json.loads(_file().read_text(encoding="utf-8")).get(key)
    except (OSError, ValueError, AttributeError):
        return None
    return found if isinstance(found, dict) else None


def _remember(key: str, value: Mapping[str, Any]) -> None:
    """Keep a measurement; a cache that cannot be written is no reason to fail."""
    file = _file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        with atomic_file(file) as draft:
            draft.write_text(json.dumps({**known, key: dict(value)}, indent=1), encoding="utf-8")
    except (OSError, ValueError) as error:
        log.info("the measurement could not be kept in %s: %s", file, error)


def _file() -> Path:
    return cache_folder("sampling.json")
