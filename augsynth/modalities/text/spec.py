"""What the texts of a dataset look like."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, ClassVar

import torch
from torch import Tensor

from augsynth.errors import DataError
from augsynth.sample_spec import Items, ListSpec

LONGEST = 100_000
"""Characters. A longer text is a file that was not cut into samples, and would take all memory to fit on."""
_ANY_TEXT = 4096  # characters, where nothing may be told of the real ones
_SHORTEST = 256  # bytes of a place in shared memory


class Texts(Items):
    """Strings that can be indexed like a tensor: by a slice, an index tensor, or a list."""


@dataclass(frozen=True)
class TextSpec(ListSpec):
    """What the texts of a dataset look like. Generators see the very strings; nothing is lost on the way.

    Args:
        longest: characters of the longest one seen.
    """

    longest: int

    field_names: ClassVar[tuple[str, ...]] = ("text", "sentence", "content")

    @classmethod
    def claims(cls, x: Any) -> bool:
        return isinstance(x, str)

    @classmethod
    def of(cls, x: Any, dataset: Any = None) -> TextSpec:
        """Infer the spec of one text. Raises DataError unless it is a string that can be written as UTF-8, not empty,
        and no longer than :data:`LONGEST`."""
        return cls(len(_checked(x)))

    @property
    def described(self) -> str:
        return f"text of up to {self.longest} characters"

    @classmethod
    def compared(cls) -> Iterable[str]:
        return ()  # a longer text may stand among shorter ones

    def to_raw(self, x: Any) -> str:
        """``x`` itself, checked as by :meth:`of`."""
        return _checked(x)

    def stacked(self, raws: Iterable[str]) -> Texts:
        return Texts(raws)

    def joined(self, parts: Sequence[Sequence[str]]) -> Texts:
        return Texts(chain.from_iterable(parts))

    def inputs(self, given: Any) -> Texts:
        if isinstance(given, str):
            raise DataError(f"one text, {given!r}: expected n of them in a list")
        made: Texts = super().inputs(given)
        return made

    def refined(self, raw: Texts) -> TextSpec:
        """The spec of all of a dataset's texts."""
        return replace(self, longest=max(map(len, raw)))

    def public_form(self) -> TextSpec:
        return replace(self, longest=_ANY_TEXT)

    def read_off(self) -> str | None:
        return None if self.longest == _ANY_TEXT else super().read_off()

    def digestible(self, raw: Any) -> Iterable[bytes]:
        return (text.encode("utf-8") for text in raw)

    def flaw(self, made: Any, n: int) -> str | None:
        if len(made) != n:
            return f"made {len(made)} texts, expected {n}"
        wrong = next((one for one in made if not isinstance(one, str)), None)
        return f"made {wrong!r}, expected str" if wrong is not None else None

    @property
    def slot_bytes(self) -> int:
        return max(_SHORTEST, 4 * self.longest)  # no character takes more than four bytes

    def packed(self, x: Sequence[str]) -> list[bytes]:
        return [text.encode("utf-8") for text in x]

    def unpacked(self, packed: Sequence[bytes]) -> list[str]:
        return [text.decode("utf-8") for text in packed]

    def likely_topics(self, x: Sequence[str]) -> Tensor:
        known = self.topics
        if known is None:
            return super().likely_topics(x)
        most_frequent = max(range(len(known)), key=lambda i: sum(row[i] for row in known.counts))
        told = [known.nearest(text, similar=False) for text in x]
        return torch.tensor([most_frequent if topic is None else topic for topic in told], dtype=torch.int64)

    def caller(self, transform: Any) -> Callable[[Any, int | None], Any] | None:
        if type(transform).__module__.split(".")[0] == "nlpaug":
            return lambda x, seed: _first(transform.augment(x))
        return None

    def check_size(self) -> None:
        if not isinstance(self.longest, int) or not 0 < self.longest <= LONGEST:
            raise ValueError(f"texts of up to {self.longest!r} characters: expected at most {LONGEST:,}")


def _first(texts: Any) -> Any:
    return texts[0] if isinstance(texts, list) else texts


def _checked(x: Any) -> str:
    if not isinstance(x, str):
        raise DataError(f"a text of type {type(x).__name__}: expected str")
    if not x.strip():
        raise DataError(f"an empty text, {x!r}: remove it, or give it its words")
    if len(x) > LONGEST:
        raise DataError(f"a text of {len(x):,} characters: expected at most {LONGEST:,}; cut it into samples")
    try:
        x.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(
            f"a text that is no valid Unicode at character {error.start} ({x[error.start]!r}); it was read with the "
            "wrong encoding, or with errors='surrogateescape'"
        ) from None
    return x
