"""Words by related ones."""

from __future__ import annotations

import augsynth
from augsynth import authoring
from augsynth_text_transforms.draws import Draws
from augsynth_text_transforms.wordnet import related
from augsynth_text_transforms.words import STOP_WORDS, core, replaced

RELATIONS = ("synonym", "hypernym")


class WordNet(authoring.TextTransform):
    """Replace words by synonyms or hypernyms of WordNet (Miller 1995), through NLTK.

    Args:
        relation: ``"synonym"``, or ``"hypernym"``: a more general word.
        rate: each word's chance; stop words and words without an entry stay.

    Raises:
        ConfigError: an argument cannot be used.
    """

    def __init__(self, *, relation: str = "synonym", rate: float = 0.1) -> None:
        if relation not in RELATIONS:
            raise augsynth.ConfigError(f"relation={relation!r}: expected {' or '.join(map(repr, RELATIONS))}")
        authoring.check_shares(rate=rate)
        self.relation, self.rate = relation, rate

    def apply(self, text: str, seed: int) -> str:
        draws = Draws(seed)
        tokens = text.split(" ")
        for i, token in enumerate(tokens):
            if draws.share() >= self.rate or (span := core(token)) is None:
                continue
            word = token[span[0] : span[1]].lower()
            if word not in STOP_WORDS and (options := related(word, self.relation)):
                tokens[i] = replaced(token, span, draws.choice(options))
        return " ".join(tokens)
