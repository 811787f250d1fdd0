"""A worker process whose parent was killed, which takes no leave."""

from __future__ import annotations

import multiprocessing


def orphaned() -> bool:
    """Whether this is a worker process whose parent is gone; also told when that is a zombie, or behind a fork
    server."""
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()
