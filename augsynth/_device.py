"""Which device ``"auto"`` is."""

from __future__ import annotations

from typing import Any


def chosen_device(device: Any) -> Any:
    """``device`` itself; for ``"auto"``, a GPU if there is one."""
    import torch

    if str(device) != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"
