"""Where what can be made again is kept."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(*inner: str) -> Path:
    """A folder or file in the cache of the user, below ``XDG_CACHE_HOME`` or ``~/.cache``. It may not exist."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").joinpath("augsynth", *inner)
