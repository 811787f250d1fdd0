"""Text from data, fit for a terminal."""

from __future__ import annotations

import re

# what moves the cursor, changes colours or titles, rings, or turns the direction of writing
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """``text`` with control characters spelt out (``\\u001b``, so that JSON stays JSON); line ends and tabs stay."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
