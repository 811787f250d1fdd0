"""How much of its words a text has in common with another."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise


def shared_words(a: str, b: str) -> float:
    """Share in [0, 1] of the words and pairs of neighbouring words of two texts that both have (Jaccard); case and
    punctuation do not count. From about 0.8 on one is a copy of the other."""
    mine, theirs = _parts(a), _parts(b)
    return len(mine & theirs) / max(len(mine | theirs), 1)


@lru_cache(maxsize=65536)
def plain_words(text: str) -> tuple[str, ...]:
    """The words of a text in lower case, without punctuation."""
    kept = "".join(character if character.isalnum() else " " for character in text.lower())
    return tuple(kept.split())


@lru_cache(maxsize=65536)
def _parts(text: str) -> frozenset[tuple[str, ...]]:
    # three of three words in common are no copy of a sentence of thirty: the pairs tell
    words = plain_words(text)
    return frozenset([*((word,) for word in words), *pairwise(words)])
