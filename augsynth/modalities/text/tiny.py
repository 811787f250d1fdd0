"""Tiny texts, for tests of code, not of quality."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch.utils.data import Dataset


class TinyTexts(Dataset[Any]):
    """Short made-up sentences whose words tell their class.

    Args:
        n: number of texts.
        classes: number of classes, 0 for none.
        seed: of the words.
    """

    _WORDS = (("cat", "dog", "fox"), ("red", "blue", "green"), ("one", "two", "three"))

    def __init__(self, n: int = 24, *, classes: int = 3, seed: int = 0) -> None:
        self.targets = [i % classes for i in range(n)] if classes else None
        rng = np.random.default_rng(seed)
        self.texts = []
        for i in range(n):
            words = self._WORDS[i % max(classes, 1)]
            first, second = rng.choice(words, 2)
            self.texts.append(f"The {first} is “{second}”, {rng.choice(['or', 'and'])} {rng.choice(words)} – sí?")

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: int) -> Any:
        return self.texts[index] if self.targets is None else (self.texts[index], self.targets[index])
