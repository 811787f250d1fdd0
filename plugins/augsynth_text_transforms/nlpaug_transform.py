"""The augmenters of nlpaug, seeded."""

from __future__ import annotations

import importlib
from typing import Any

import augsynth
from augsynth import authoring


class NLPAug(authoring.TextTransform):
    """Any augmenter of nlpaug. It reads the global generators of Python and NumPy; here they are seeded for each text,
    and restored.

    Args:
        augmenter: an augmenter, or its name with its module: ``"char.KeyboardAug"``, ``"word.SynonymAug"``.
        settings: of the augmenter, when it is named.

    Raises:
        ConfigError: there is no such augmenter, or it does not take these settings.
    """

    def __init__(self, *, augmenter: Any = "char.KeyboardAug", **settings: Any) -> None:
        self.augmenter = _made(augmenter, settings) if isinstance(augmenter, str) else augmenter
        if not hasattr(self.augmenter, "augment"):
            raise augsynth.ConfigError(f"augmenter={augmenter!r}: expected an augmenter of nlpaug, or its name")

    def apply(self, text: str, seed: int) -> str:
        with authoring.seeded_globals(seed):
            made = self.augmenter.augment(text)
        if isinstance(made, list):
            made = made[0] if made else text
        return str(made)


def _made(name: str, settings: dict[str, Any]) -> Any:
    level, _, attribute = name.partition(".")
    if level not in ("char", "word", "sentence") or not attribute:
        raise augsynth.ConfigError(f"augmenter={name!r}: expected char.NAME, word.NAME or sentence.NAME")
    module = importlib.import_module(f"nlpaug.augmenter.{level}")
    if not hasattr(module, attribute):
        there = ", ".join(sorted(one for one in vars(module) if one.endswith("Aug")))
        raise augsynth.ConfigError(f"augmenter={name!r}: nlpaug has no such augmenter; in {level!r} there are: {there}")
    try:
        return getattr(module, attribute)(**settings)
    except TypeError as error:
        raise augsynth.ConfigError(f"augmenter={name!r} with {settings}: {error}") from error
