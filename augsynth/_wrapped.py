"""Facts that a dataset tells, or one that it wraps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def attributes_of(dataset: Any, name: str) -> Iterator[Any]:
    """The attribute ``name`` of a dataset and of what it wraps, from the outside in, where it is not None."""
    if (own := getattr(dataset, name, None)) is not None:
        yield own
    inside = (getattr(dataset, "dataset", None), getattr(dataset, "real", None))
    for one in (*inside, *(getattr(dataset, "datasets", None) or ())):
        if one is not None:
            yield from attributes_of(one, name)
