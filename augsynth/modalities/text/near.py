"""Which texts are nearly the same: by their shingles (Jaccard), found by MinHash (Broder 1997)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from augsynth._optional import import_optional
from augsynth.errors import MissingDependencyError

NEAR = 0.85  # overlap of the shingles
_SHINGLE = 5  # characters: works for any script, spaces or not
_PERMUTATIONS = 128


def shingles(text: str) -> frozenset[str]:
    """The runs of five characters in a text, whatever their case."""
    key = text.casefold()
    return frozenset(key[j : j + _SHINGLE] for j in range(max(1, len(key) - _SHINGLE + 1)))


def near_duplicates(texts: Sequence[str], other: Sequence[str] | None) -> tuple[list[tuple[int, int, str]], str | None]:
    """As of :meth:`augsynth.authoring.Modality.near_duplicates`."""
    try:
        sketches = Sketches(NEAR)
    except MissingDependencyError as error:
        return [], str(error)
    kept = {} if other is None else {j: shingles(text) for j, text in enumerate(other)}
    for j, own in kept.items():
        sketches.add(j, own)
    found = []
    for i, text in enumerate(texts):
        own = shingles(text)
        overlaps = {j: len(own & kept[j]) / len(own | kept[j]) for j in sketches.like(own)}
        best = max(overlaps, key=lambda j: (overlaps[j], -j), default=None)
        if best is not None and overlaps[best] >= NEAR:
            found.append((i, best, f"nearly the same ({overlaps[best]:.0%} of the runs of letters)"))
        elif other is None:
            kept[i] = own
            sketches.add(i, own)
    return found, None


class Sketches:
    """Finds sets that may overlap by the threshold."""

    def __init__(self, threshold: float) -> None:
        self._library = import_optional("datasketch", extra="clean", purpose="finding near-duplicates")
        # whatever it finds is compared in full: what it misses is dearer than what it finds in vain
        self._index = self._library.MinHashLSH(threshold=threshold, num_perm=_PERMUTATIONS, weights=(0.05, 0.95))
        self._last: tuple[frozenset[str], Any] | None = None

    def like(self, shingles: frozenset[str]) -> list[int]:
        found: list[int] = self._index.query(self._sketch(shingles))
        return found

    def add(self, row: int, shingles: frozenset[str]) -> None:
        self._index.insert(row, self._sketch(shingles))

    def _sketch(self, shingles: frozenset[str]) -> Any:
        if self._last is None or self._last[0] is not shingles:
            sketch = self._library.MinHash(num_perm=_PERMUTATIONS, seed=1)
            sketch.update_batch([shingle.encode("utf-8", "surrogatepass") for shingle in sorted(shingles)])
            self._last = (shingles, sketch)
        return self._last[1]
