"""Where a fit runs: a device of this process, or one of each of several processes, by Lightning Fabric."""

from __future__ import annotations

import os
import warnings
from typing import Any

import torch

from augsynth._device import EXPECTED, check_cuda
from augsynth.errors import ConfigError

STRATEGIES = ("auto", "ddp")


def launched(device: str | torch.device, precision: str, strategy: str = "auto") -> Any:
    """A launched :class:`lightning_fabric.Fabric`.

    Raises:
        ConfigError: there is no such device, precision or strategy, or ``"ddp"`` without a launcher.
    """
    from lightning_fabric import Fabric  # seconds to import: only who fits pays

    kind, _, index = str(device).partition(":")
    accelerator = {"auto": "auto", "cpu": "cpu", "cuda": "cuda", "gpu": "gpu", "mps": "mps"}.get(kind)
    if accelerator is None or (index and not index.isdigit()):
        raise ConfigError(f"device={device!r}: {EXPECTED}")
    if kind in ("cuda", "gpu"):
        check_cuda(device)
    placed: dict[str, Any] = {"devices": [int(index)] if index and (kind, index) != ("cpu", "0") else 1}
    if strategy == "ddp":
        if index:
            raise ConfigError(
                f"device={device!r} with strategy='ddp': each process takes one of its own; leave out :{index}"
            )
        placed = {"strategy": "ddp", **_processes()}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning_fabric")
            fabric = Fabric(accelerator=accelerator, precision=precision, **placed)  # type: ignore[arg-type]
            fabric.launch()
    except (ValueError, RuntimeError) as error:
        raise ConfigError(f"device={device!r}, precision={precision!r}: {error}") from error
    return fabric


def _processes() -> dict[str, int]:
    try:
        world, local = (int(os.environ[name]) for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    except (KeyError, ValueError):
        raise ConfigError(
            "strategy='ddp' shares a fit among processes, and there is one here: start them with "
            "torchrun --nproc-per-node 2 script.py"
        ) from None
    return {"devices": local, "num_nodes": world // local}
