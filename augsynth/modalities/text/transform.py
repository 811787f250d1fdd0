"""The base class of transforms of text."""

from __future__ import annotations

from augsynth.errors import DataError
from augsynth.seeding import given_or_drawn
from augsynth.transforms.seeded import SeededTransform


class TextTransform(SeededTransform):
    """A label-preserving operation on one text. An author writes :meth:`apply`."""

    def apply(self, text: str, seed: int) -> str:
        """The transformed text; everything random must follow ``seed``."""
        raise NotImplementedError(f"{type(self).__name__} must define apply(text, seed)")

    def __call__(self, x: str, *, seed: int | None = None) -> str:
        """Transform one text.

        Args:
            x: of any length; white space alone comes back as it is.
            seed: None draws one from torch's RNG.

        Raises:
            DataError: not a str.
        """
        if not isinstance(x, str):
            raise DataError(f"{type(self).__name__} got {type(x).__name__}: expected a str")
        if not x or x.isspace():
            return x
        return self.apply(x, given_or_drawn(seed))
