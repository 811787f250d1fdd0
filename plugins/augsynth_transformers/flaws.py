"""What a language model writes when it fails: nothing, its prompt, one thing again and again, or an example."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

_ALIKE, _AGAIN = 0.8, 4  # share of common parts from which on a text is a copy; times from which on it is a loop


def flaw_of(text: str, prompt_words: str, examples: Iterable[str]) -> str | None:
    """What is wrong with a text, or None.

    Args:
        prompt_words: the first line of its prompt.
        examples: real texts that it must not copy.
    """
    if not any(character.isalnum() for character in text):
        return "empty"
    own = _words(text)
    head = _words(prompt_words)
    if head and own[: len(head)] == head:
        return "prompt"
    if _loops(own):
        return "loop"
    parts = _parts(text)
    for example in examples:
        theirs = _parts(example)
        # three of three words in common are no copy of a sentence of thirty
        if len(parts & theirs) >= _ALIKE * len(parts | theirs):
            return "copy"
    return None


def _loops(words: tuple[str, ...]) -> bool:
    """Whether one to six words come four times in a row."""
    for length in range(1, 7):
        for start in range(len(words) - length * _AGAIN + 1):
            first = words[start : start + length]
            if all(words[start + i * length : start + (i + 1) * length] == first for i in range(1, _AGAIN)):
                return True
    return False


@lru_cache(maxsize=65536)
def _words(text: str) -> tuple[str, ...]:
    kept = "".join(character if character.isalnum() else " " for character in text.lower())
    return tuple(kept.split())


@lru_cache(maxsize=65536)
def _parts(text: str) -> frozenset[tuple[str, ...]]:
    """Words and pairs of words."""
    words = _words(text)
    return frozenset([*((word,) for word in words), *pairwise(words)])
