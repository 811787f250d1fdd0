"""Clean texts before fitting: normalise, and take out what is empty, double or unlike the rest, with a report."""

from __future__ import annotations

import statistics
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from math import log
from typing import Any

from torch.utils.data import Dataset

from augsynth._progress import progress_bar
from augsynth.errors import ConfigError
from augsynth.modalities.text.near import Sketches, shingles
from augsynth.modalities.text.reading import read_texts
from augsynth.structure import Fields

_KEPT_CONTROLS = "\t\n"
_FAR = 6.0  # in robust standard deviations of the logarithm of the length; for bell-shaped data one in 10^9
_LONG_ENOUGH = 100  # bytes: shorter texts compress badly whatever they say
_REPETITIVE = 0.2  # compressed to a fifth: ordinary prose of a few hundred bytes stays above 0.45


@dataclass(frozen=True)
class Removed:
    """A sample that was taken out.

    Attributes:
        index: its position in the dataset.
        reason: ``"empty"``, ``"duplicate"``, ``"near-duplicate"``, ``"length"`` or ``"repetition"``.
        detail: what it is a duplicate of, or how far it is off.
        text: its beginning.
    """

    index: int
    reason: str
    detail: str
    text: str


@dataclass
class CleaningReport:
    """What was done to a dataset.

    Attributes:
        total: number of samples before.
        normalised: positions of the samples whose text was changed.
        removed: what was taken out, in order.
    """

    total: int
    normalised: list[int] = field(default_factory=list)
    removed: list[Removed] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Number of samples removed, by reason."""
        return dict(Counter(one.reason for one in self.removed))

    def to_json(self) -> dict[str, Any]:
        """All of it, as plain data."""
        return {**asdict(self), "counts": self.counts, "kept": self.total - len(self.removed)}

    def __str__(self) -> str:
        lines = [f"{self.total - len(self.removed)} of {self.total} texts kept; {len(self.normalised)} normalised"]
        lines += [f"  {reason}: {count} removed" for reason, count in sorted(self.counts.items())]
        lines += [f"  row {one.index} ({one.reason}: {one.detail}): {one.text!r}" for one in self.removed[:10]]
        if len(self.removed) > 10:
            lines.append(f"  and {len(self.removed) - 10} more in .removed")
        return "\n".join(lines)


class CleanedDataset(Dataset[Any]):
    """The samples that were kept, with normalised texts; ``report`` says what happened to the others."""

    def __init__(self, samples: Sequence[Any], report: CleaningReport) -> None:
        self.report = report
        self._samples = list(samples)

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Any:
        return self._samples[index]


def clean(
    dataset: Any,
    *,
    normalise: bool = True,
    duplicates: str | None = "near",
    threshold: float = 0.85,
    outliers: bool = True,
    fields: Fields | None = None,
    progress: bool = True,
) -> CleanedDataset:
    """Clean a dataset of texts.

    Args:
        dataset: map-style or finite iterable; yields texts, alone, in tuples or in dicts.
        normalise: Unicode NFC, no control characters, one space for any run of white space.
        duplicates: ``"near"`` removes texts whose 5-character shingles overlap (Jaccard) by ``threshold`` or more with
            an earlier one, found by MinHash (Broder 1997; the extra ``clean``); ``"exact"`` only those that are the
            same but for case; None none.
        threshold: of near-duplicates, in (0, 1].
        outliers: remove texts whose length is far from all others', or that repeat themselves; both are told without
            knowing the language.
        fields: where text and label are in a sample, ``{"x": key, "y": key}``.
        progress: show a progress bar on a terminal.

    Raises:
        DataError: the dataset is empty, or an input is no str; names its position.
        ConfigError: an argument cannot be used.
        MissingDependencyError: near-duplicates without the extra ``clean``.

    Example:
        >>> cleaned = augsynth.clean(my_texts)
        >>> print(cleaned.report)
        >>> gen = augsynth.fit("lstm", cleaned)
    """
    if duplicates not in ("near", "exact", None):
        raise ConfigError(f"duplicates={duplicates!r}: expected 'near', 'exact' or None")
    if not 0.0 < threshold <= 1.0:
        raise ConfigError(f"threshold={threshold!r}: expected a number in (0, 1]")
    samples, structure, found = read_texts(dataset, fields)
    report = CleaningReport(len(samples))
    texts = [normalised(text) if normalise else text for text in found]
    for i, (before, after) in enumerate(zip(found, texts, strict=True)):
        if after != before:
            report.normalised.append(i)
            samples[i] = structure.replace_x(samples[i], after)
    gone: dict[int, Removed] = {i: _removed(i, texts, "empty", "") for i, text in enumerate(texts) if not text.strip()}
    if outliers:
        gone |= {one.index: one for one in _outliers(texts) if one.index not in gone}
    if duplicates is not None:
        labels = [structure.y_of(sample) for sample in samples]
        left = [i for i in range(len(texts)) if i not in gone]
        with progress_bar("looking for duplicates", len(left), show=progress) as bar:
            for i, first, kind in _duplicates(texts, left, threshold if duplicates == "near" else None):
                if first is not None:
                    other = "" if labels[i] == labels[first] else f", which has the label {labels[first]!r}"
                    gone[i] = _removed(i, texts, kind, f"of row {first}{other}")
                bar.advance()
    report.removed = [gone[i] for i in sorted(gone)]
    return CleanedDataset([sample for i, sample in enumerate(samples) if i not in gone], report)


def normalised(text: str) -> str:
    """Unicode NFC, without control characters and byte-order marks, one space for any run of white space."""
    text = unicodedata.normalize("NFC", text)
    kept = (c for c in text if c in _KEPT_CONTROLS or (unicodedata.category(c) != "Cc" and c != "\ufeff"))
    return " ".join("".join(kept).split())


def _removed(index: int, texts: Sequence[str], reason: str, detail: str) -> Removed:
    return Removed(index, reason, detail, texts[index][:60])


def _outliers(texts: Sequence[str]) -> Iterator[Removed]:
    lengths = [log(max(len(text), 1)) for text in texts]
    middle = statistics.median(lengths)
    # 1.4826 makes the median deviation that of a normal distribution; the floor spares corpora of one length
    spread = max(1.4826 * statistics.median(abs(length - middle) for length in lengths), 0.15)
    for i, text in enumerate(texts):
        distance = (lengths[i] - middle) / spread
        if abs(distance) > _FAR:
            yield _removed(i, texts, "length", f"{len(text)} characters, {distance:+.1f} deviations from the median")
            continue
        raw = text.encode("utf-8", "surrogatepass")
        if len(raw) >= _LONG_ENOUGH and len(zlib.compress(raw)) < _REPETITIVE * len(raw):
            yield _removed(i, texts, "repetition", f"compresses to {len(zlib.compress(raw)) / len(raw):.0%}")


def _duplicates(
    texts: Sequence[str], rows: Sequence[int], threshold: float | None
) -> Iterator[tuple[int, int | None, str]]:
    """For each row: itself, the earlier row that it repeats or None, and how."""
    seen: dict[str, int] = {}
    kept: dict[int, frozenset[str]] = {}
    sketches = Sketches(threshold) if threshold is not None else None
    for i in rows:
        key = texts[i].casefold()
        if key in seen:
            yield i, seen[key], "duplicate"
            continue
        seen[key] = i
        if sketches is None or threshold is None:
            yield i, None, ""
            continue
        own = shingles(texts[i])
        near = [j for j in sketches.like(own) if len(own & kept[j]) >= threshold * len(own | kept[j])]
        if near:
            yield i, min(near), "near-duplicate"
            continue
        kept[i] = own
        sketches.add(i, own)
        yield i, None, ""
