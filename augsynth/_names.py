"""Names that come from data, as names of files."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[^\w .()+-]")


def file_name(name: str) -> str:
    """``name`` as that of a file or folder: without separators, never ``.`` or ``..``, of at most 100 characters."""
    plain = _PLAIN.sub("-", name).strip(" .")[:100]
    return plain or "unnamed"
