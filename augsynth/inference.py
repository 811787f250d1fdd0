"""Networks in the form that samples fastest: built once from the trained ones, with the same results."""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from augsynth._atomic import atomic_file
from augsynth._rng_guard import preserved_rng

log = logging.getLogger("augsynth")

SIZES = (16, 32, 64, 128, 256)
_REPEATS = 5


class ChannelAffine(nn.Module):
    """x · scale + shift by channel, (n, C, H, W): what a batch norm is once its statistics are fixed."""

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        if norm.running_mean is None or norm.running_var is None:
            raise ValueError("a batch norm without running statistics cannot be folded")
        scale = (norm.running_var + norm.eps).rsqrt()
        if norm.affine:
            scale = scale * norm.weight
        shift = -norm.running_mean * scale
        if norm.affine:
            shift = shift + norm.bias
        self.register_buffer("scale", scale.detach()[:, None, None].clone())
        self.register_buffer("shift", shift.detach()[:, None, None].clone())

    def forward(self, x: Tensor) -> Tensor:
        return torch.addcmul(self.shift, x, self.scale)  # type: ignore[arg-type]


def inference_form(module: nn.Module) -> nn.Module:
    """A copy for sampling: frozen, ``channels_last``, batch norms folded into one multiplication and addition.

    A module that knows a faster form of itself defines ``inference_form()``, which returns it.
    """
    made = copy.deepcopy(module).eval().requires_grad_(False)
    with preserved_rng():  # new layers draw initial weights, which are overwritten
        if hasattr(made, "inference_form"):
            own_form: nn.Module = made.inference_form()  # type: ignore[operator]
            return own_form.eval().requires_grad_(False)
        for parent in list(made.modules()):
            for name, child in parent.named_children():
                own = getattr(child, "inference_form", None)
                if own is not None:
                    setattr(parent, name, own())
                elif isinstance(child, nn.BatchNorm2d) and child.running_mean is not None:
                    setattr(parent, name, ChannelAffine(child))
    return made.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def signature(module: nn.Module) -> tuple[tuple[int, int], ...]:
    """Changes when a weight or a statistic does, or moves to another device."""
    tensors = [*module.parameters(), *module.buffers()]
    return tuple((tensor.data_ptr(), tensor._version) for tensor in tensors)


class FastForms:
    """The inference forms of a generator's networks, by name; made when first asked for, and anew when weights
    change."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[Any, Any]] = {}
        self.compiled = False

    def get(self, name: str, module: nn.Module) -> Any:
        now = signature(module)
        if name not in self._made or self._made[name][0] != now:
            form: Any = inference_form(module)
            self._made[name] = (now, torch.compile(form) if self.compiled else form)
        return self._made[name][1]

    def set_compiled(self, compiled: bool) -> None:
        if compiled != self.compiled:
            self.compiled = compiled
            self._made.clear()

    def __deepcopy__(self, memo: Any) -> FastForms:
        return FastForms()

    def __getstate__(self) -> dict[str, Any]:
        return {"_made": {}, "compiled": False}  # a spawned worker makes its own


def measured(draw: Callable[[int], Any], sizes: tuple[int, ...], n: int) -> dict[int, float]:
    """Seconds for ``n`` samples, by the size of the parts they are made in: the median of several runs in turns."""
    seconds: dict[int, list[float]] = {size: [] for size in sizes}
    for turn in range(-1, _REPEATS):
        for size in sizes:
            began = time.perf_counter()
            draw(size)
            if turn >= 0:
                seconds[size].append(time.perf_counter() - began)
    return {size: statistics.median(own) for size, own in seconds.items()}


def machine_key(device: torch.device, described: Mapping[str, Any]) -> str:
    """What a measurement belongs to: machine, versions, threads, and the generator."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    parts = [platform.node(), name, torch.__version__, torch.get_num_threads(), dict(described)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:24]


def remembered(key: str) -> dict[str, Any] | None:
    """What was measured for ``key`` on this machine, or None."""
    try:
        found = json.loads(_file().read_text(encoding="utf-8")).get(key)
    except (OSError, ValueError, AttributeError):
        return None
    return found if isinstance(found, dict) else None


def remember(key: str, value: Mapping[str, Any]) -> None:
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
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "augsynth" / "sampling.json"
