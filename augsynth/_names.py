"""What things are called: files after what comes from data, generators in messages and provenance."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

_PLAIN = re.compile(r"[^\w .()+-]")


def file_name(name: str) -> str:
    """``name`` as that of a file or folder: without separators, never ``.`` or ``..``, of at most 100 characters."""
    plain = _PLAIN.sub("-", name).strip(" .")[:100]
    return plain or "unnamed"


def did_you_mean(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """The question after the one of ``known`` that is most like ``word``, or nothing where none is like it."""
    near = difflib.get_close_matches(word, list(known), 1, cutoff)
    return f"did you mean {near[0]!r}?" if near else ""


def name_of(generator: Any) -> str:
    """The plugin's name of a generator, or of what serves as one; that of its class where it has none."""
    return getattr(generator, "plugin", None) or type(generator).__name__


def known_by(generator: Any) -> str:
    """Name and checkpoint of a generator, or of what serves as one."""
    return f"{name_of(generator)} {getattr(generator, 'checkpoint_id', '')}".rstrip()
