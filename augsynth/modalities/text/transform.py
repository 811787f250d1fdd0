"""The base class of transforms of text."""

from __future__ import annotations

from collections.abc import Sequence

from augsynth.errors import DataError
from augsynth.seeding import given_or_drawn
from augsynth.transforms.seeded import SeededTransform

_AT_ONCE = 64  # texts: bounds the memory of a model, whose state of each stands side by side


class TextTransform(SeededTransform):
    """A label-preserving operation on one text. An author writes :meth:`apply`."""

    def apply(self, text: str, seed: int) -> str:
        """The transformed text; everything random must follow ``seed``."""
        raise NotImplementedError(f"{type(self).__name__} must define apply(text, seed)")

    def apply_many(self, texts: Sequence[str], seeds: Sequence[int]) -> list[str]:
        """A few dozen transformed texts. Override where they are faster together; text i must depend on ``seeds[i]``
        alone."""
        return [self.apply(text, seed) for text, seed in zip(texts, seeds, strict=True)]

    def __call__(self, x: str, *, seed: int | None = None) -> str:
        """Transform one text.

        Args:
            x: of any length; white space alone comes back as it is.
            seed: None draws one from torch's RNG.

        Raises:
            DataError: not a str.
        """
        self._check(x)
        if not x or x.isspace():
            return x
        return self.apply(x, given_or_drawn(seed))

    def many(self, inputs: Sequence[str], seeds: Sequence[int | None]) -> list[str]:
        """Transform n texts, each by its own seed."""
        for x in inputs:
            self._check(x)
        made = list(inputs)
        rows = [i for i, x in enumerate(made) if x and not x.isspace()]
        for start in range(0, len(rows), _AT_ONCE):
            part = rows[start : start + _AT_ONCE]
            own = self.apply_many([made[i] for i in part], [given_or_drawn(seeds[i]) for i in part])
            for i, text in zip(part, own, strict=True):
                made[i] = text
        return made

    def _check(self, x: object) -> None:
        if not isinstance(x, str):
            raise DataError(f"{type(self).__name__} got {type(x).__name__}: expected a str")
