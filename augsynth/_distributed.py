"""This process's place in distributed training."""

from __future__ import annotations

import torch


def ranks() -> tuple[int, int] | None:
    """Rank and number of ranks; None where this process knows of none."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return None
