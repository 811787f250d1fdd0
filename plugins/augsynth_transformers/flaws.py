"""What a language model writes when it fails: nothing, its prompt, one thing again and again, or an example."""

from __future__ import annotations

from collections.abc import Iterable

from augsynth.authoring import plain_words, shared_words

_ALIKE, _AGAIN = 0.8, 4  # share of common parts from which on a text is a copy; times from which on it is a loop


def flaw_of(text: str, prompt_words: str, examples: Iterable[str]) -> str | None:
    """What is wrong with a text, or None.

    Args:
        prompt_words: the first line of its prompt.
        examples: real texts that it must not copy.
    """
    if not any(character.isalnum() for character in text):
        return "empty"
    own = plain_words(text)
    head = plain_words(prompt_words)
    if head and own[: len(head)] == head:
        return "prompt"
    if _loops(own):
        return "loop"
    return "copy" if any(shared_words(text, example) >= _ALIKE for example in examples) else None


def _loops(words: tuple[str, ...]) -> bool:
    """Whether one to six words come four times in a row."""
    for length in range(1, 7):
        for start in range(len(words) - length * _AGAIN + 1):
            first = words[start : start + length]
            if all(words[start + i * length : start + (i + 1) * length] == first for i in range(1, _AGAIN)):
                return True
    return False
