"""An easier data augmentation."""

from __future__ import annotations

import augsynth
from augsynth import authoring
from augsynth_text_transforms.draws import Draws

MARKS = (".", ";", "?", ":", "!", ",")


class AEDA(authoring.TextTransform):
    """Insert punctuation marks, each a token of its own, at random places between the words; no word is lost (Karimi,
    Rossi & Prati, "AEDA: an easier data augmentation technique for text classification", Findings of EMNLP 2021).

    Args:
        ratio: at most this share of the number of words is inserted, at least one; 1/3 as in the paper.

    Raises:
        ConfigError: an argument cannot be used.
    """

    def __init__(self, *, ratio: float = 1 / 3) -> None:
        if not 0.0 < ratio <= 1.0:
            raise augsynth.ConfigError(f"ratio={ratio!r}: expected a share in (0, 1]")
        self.ratio = ratio

    def apply(self, text: str, seed: int) -> str:
        draws = Draws(seed)
        tokens = text.split(" ")
        most = max(1, int(self.ratio * len(tokens)))
        # from the right, so that an insertion does not move the places of the others
        for i in sorted(draws.sample(len(tokens), 1 + draws.below(most)), reverse=True):
            tokens.insert(i, draws.choice(MARKS))
        return " ".join(tokens)
