"""An input, and targets that lie in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ROLES = ("mask", "boxes", "keypoints")


@dataclass(frozen=True, eq=False)
class Joint:
    """An input with targets that lie in it, so that what moves the one moves the others.

    Args:
        x: the input, as the dataset yields it.
        inside: role (``"mask"``, ``"boxes"``, ``"keypoints"``) → the target, as the dataset yields it.
    """

    x: Any
    inside: Mapping[str, Any]

    def items(self) -> Iterator[tuple[str, Any]]:
        """The parts, by name."""
        yield "x", self.x
        yield from self.inside.items()
