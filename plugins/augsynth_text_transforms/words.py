"""Texts as words and what stands between them."""

from __future__ import annotations

import re

STOP_WORDS = frozenset(
    """
    i me my myself we our ours ourselves you your yours yourself he him his she her hers it its itself they them
    their what which who whom this that these those am is are was were be been being have has had having do does
    did doing a an the and but if or because as until while of at by for with about against between into through
    during before after above below to from up down in out on off over under again further then once here there
    when where why how all any both each few more most other some such no nor not only own same so than too very s
    t can will just don should now
    """.split()  # noqa: SIM905 - a list of this length is easier to read as text
)
"""Short common words of English."""

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def core(token: str) -> tuple[int, int] | None:
    """Where the word is in a token between spaces, or None: ``"(dog's),"`` has it at 1 to 6."""
    match = _WORD.search(token)
    return match.span() if match else None


def replaced(token: str, span: tuple[int, int], word: str) -> str:
    """``token`` with another word in place of its own, in the same case."""
    old = token[span[0] : span[1]]
    if len(old) > 1 and old.isupper():
        word = word.upper()
    elif old[0].isupper():
        word = word[0].upper() + word[1:]
    return token[: span[0]] + word + token[span[1] :]
