"""The space of texts that a dataset yields. Generators see the very strings; nothing is lost on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from torch import Tensor

from augsynth.errors import DataError
from augsynth.label_spec import LabelSpec
from augsynth.topic_spec import TopicSpec

LONGEST = 100_000
"""Characters. A longer text is a file that was not cut into samples, and would take all memory to fit on."""


class Texts(list[str]):
    """A list of strings that can be indexed like a tensor: by a slice, a mask-free index tensor, or a list."""

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Texts(super().__getitem__(index))
        if isinstance(index, (Tensor, np.ndarray, list)):
            positions = index if isinstance(index, list) else index.tolist()
            return Texts(super(Texts, self).__getitem__(i) for i in positions)
        return super().__getitem__(index)


@dataclass(frozen=True)
class TextSpec:
    """What the texts of a dataset look like.

    Args:
        longest: characters of the longest one seen.
        labels: the classes, or None when unlabelled.
        topics: the topics, or None.
    """

    longest: int
    labels: LabelSpec | None = None
    topics: TopicSpec | None = None
    modality: str = "text"

    @classmethod
    def of_text(cls, x: Any) -> TextSpec:
        """Infer the spec of one text. Raises DataError unless it is a string that can be written as UTF-8, not empty,
        and no longer than :data:`LONGEST`."""
        return cls(len(_checked(x)))

    @property
    def num_classes(self) -> int:
        """Number of classes, 0 without labels."""
        return len(self.labels) if self.labels else 0

    @property
    def num_topics(self) -> int:
        """Number of topics, 0 without."""
        return len(self.topics) if self.topics else 0

    @property
    def described(self) -> str:
        """For messages."""
        return f"text of up to {self.longest} characters"

    def to_raw(self, x: Any) -> str:
        """``x`` itself, checked as by :meth:`of_text`."""
        return _checked(x)

    def stacked(self, raws: Iterable[str]) -> Texts:
        """n texts as one object."""
        return Texts(raws)

    def refined(self, raw: Texts) -> TextSpec:
        """The spec of all of a dataset's texts."""
        return TextSpec(max(map(len, raw)), self.labels, self.topics)

    def raw_bytes(self, raw: Texts) -> bytes:
        """For a fingerprint of the data."""
        return b"\x00".join(text.encode("utf-8") for text in raw)

    def raw_to_model(self, raw: Texts) -> Texts:
        """The same: generators see the very strings."""
        return raw

    def joined(self, parts: Sequence[Sequence[str]]) -> Texts:
        """The texts of several requests."""
        return Texts(text for part in parts for text in part)

    def flaw(self, made: Any, n: int) -> str | None:
        """What is wrong with ``made`` as n generated texts, or None."""
        if len(made) != n:
            return f"made {len(made)} texts, expected {n}"
        wrong = next((one for one in made if not isinstance(one, str)), None)
        return f"made {wrong!r}, expected str" if wrong is not None else None

    def batched(self, x: Sequence[str]) -> list[str]:
        """What the dataset yields, n of them."""
        return list(x)

    def yielded(self, raw: Sequence[str]) -> list[str]:
        """The same as :meth:`batched`."""
        return list(raw)

    def differences(self, other: Any) -> list[str]:
        """What differs between two specs, for messages."""
        return [] if other.modality == "text" else [f"modality: text against {other.modality}"]

    def admits(self, raw: Any) -> bool:
        """Whether ``raw`` may stand among these: any text may."""
        return isinstance(raw, str)

    def to_json(self) -> dict[str, Any]:
        """A form that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TextSpec:
        """The inverse of :meth:`to_json`."""
        return cls(data["longest"], LabelSpec.from_json(data["labels"]), TopicSpec.from_json(data.get("topics")))


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
