"""Words related by NLTK's WordNet, looked up once each."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

import augsynth


@lru_cache(maxsize=100_000)
def related(word: str, relation: str = "synonym") -> tuple[str, ...]:
    """Other words for ``word``, sorted; empty where there are none.

    Args:
        word: in lower case.
        relation: ``"synonym"`` or ``"hypernym"``.

    Raises:
        DataError: WordNet is not on this machine; says how to fetch it and where it was looked for.
    """
    found: set[str] = set()
    for synset in _reader().synsets(word):
        for one in [synset] if relation == "synonym" else synset.hypernyms():
            found.update(name.replace("_", " ") for name in one.lemma_names())
    # names and abbreviations come in capitals, and rarely fit
    return tuple(sorted(name for name in found if name != word and name.replace(" ", "").replace("-", "").islower()))


@lru_cache(maxsize=1)
def _reader() -> Any:
    from nltk.corpus import wordnet

    try:
        wordnet.ensure_loaded()
    except LookupError as error:
        raise missing("wordnet") from error
    if hasattr(os, "register_at_fork"):
        # forked workers would share the position in the open files, and read each other's lines
        os.register_at_fork(after_in_child=lambda: wordnet.__dict__.update(_data_file_map={}))
    return wordnet


def missing(name: str) -> augsynth.DataError:
    """The error for a corpus of NLTK that is not on this machine."""
    from nltk import data

    return augsynth.DataError(
        f"NLTK's {name!r} is not on this machine; fetch it with: python -m nltk.downloader {name}   "
        f"(looked in: {', '.join(data.path)}; set NLTK_DATA to look elsewhere)"
    )
