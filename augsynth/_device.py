"""Which device is meant: by its name, as torch's own object, or ``"auto"``."""

from __future__ import annotations

from typing import Any

from augsynth.errors import ConfigError

EXPECTED = "expected 'auto', 'cpu', 'cuda', 'cuda:0' or 'mps'"


def chosen_device(device: Any) -> str:
    """The name of ``device``; for ``"auto"``, of a GPU if there is one.

    Raises:
        ConfigError: there is no such device here.
    """
    import torch

    name = str(device)
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(name).type
    except RuntimeError:
        raise ConfigError(f"device={device!r}: {EXPECTED}") from None
    if kind == "cuda":
        check_cuda(device)
    return name


def check_cuda(device: Any) -> None:
    """Raise a ConfigError where torch finds no CUDA device for ``device``."""
    import torch

    if not torch.cuda.is_available():
        raise ConfigError(f"device={device!r}: torch finds no CUDA device here; use device='cpu' or 'auto'")
