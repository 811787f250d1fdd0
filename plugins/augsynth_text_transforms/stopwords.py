"""Stop words."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import augsynth
from augsynth import authoring
from augsynth_text_transforms.draws import Draws
from augsynth_text_transforms.wordnet import missing
from augsynth_text_transforms.words import STOP_WORDS, core


class Stopwords(authoring.TextTransform):
    """Remove stop words, at random or all.

    Args:
        rate: each stop word's chance to be removed.
        words: ``"english"``, a short list that comes with the plugin; another language, by NLTK's corpus ``stopwords``;
            or the words themselves.

    Raises:
        ConfigError: an argument cannot be used.
        DataError: NLTK's corpus is needed and not on this machine.
    """

    def __init__(self, *, rate: float = 0.5, words: str | Iterable[str] = "english") -> None:
        authoring.check_shares(rate=rate)
        self.rate = rate
        self.words = _listed(words) if isinstance(words, str) else frozenset(word.lower() for word in words)

    def apply(self, text: str, seed: int) -> str:
        draws = Draws(seed)
        tokens = text.split(" ")
        kept = [token for token in tokens if not (self._stops(token) and draws.share() < self.rate)]
        return " ".join(kept) if kept else text

    def _stops(self, token: str) -> bool:
        span = core(token)
        return span == (0, len(token)) and token.lower() in self.words


@lru_cache(maxsize=8)
def _listed(language: str) -> frozenset[str]:
    if language == "english":
        return STOP_WORDS
    from nltk.corpus import stopwords

    try:
        return frozenset(stopwords.words(language))
    except LookupError as error:
        raise missing("stopwords") from error
    except OSError as error:
        raise augsynth.ConfigError(
            f"words={language!r}: expected one of {', '.join(stopwords.fileids())}, or the words themselves"
        ) from error
