"""Samples that are there twice, or in the test data, too."""

from __future__ import annotations

from collections.abc import Sequence

from augsynth.fitting.training_data import TrainingData
from augsynth.modality import Modality
from augsynth.preparing.findings import Finding


def find_repeats(
    data: TrainingData, test: TrainingData | None, modality: Modality, files: Sequence[str | None]
) -> tuple[list[Finding], list[str]]:
    """Findings of the kinds ``"duplicates"`` and ``"leaks"``, a sample at most once in each, and notes."""
    found: list[Finding] = []
    notes: list[str] = []
    own = data.digests()
    first: dict[bytes, int] = {}
    for i, digest in enumerate(own):
        if digest in first:
            found.append(_repeat("duplicates", i, first[digest], "the same", data, data, files))
        first.setdefault(digest, i)
    near, note = modality.near_duplicates(data.spec, data.raw, None)
    notes += [note] if note else []
    known = {one.index for one in found}
    for i, j, how in near:
        if i not in known and own[i] != own[j]:
            found.append(_repeat("duplicates", i, j, how, data, data, files))
            known.add(i)
    if test is None:
        return found, notes
    there = {digest: i for i, digest in reversed(list(enumerate(test.digests())))}
    leaked = {i: there[digest] for i, digest in enumerate(own) if digest in there}
    found += [_repeat("leaks", i, j, "the same", data, test, files) for i, j in leaked.items()]
    for i, j, how in modality.near_duplicates(data.spec, data.raw, test.raw)[0]:
        if i not in leaked:
            leaked[i] = j
            found.append(_repeat("leaks", i, j, how, data, test, files))
    return found, notes


def _repeat(
    kind: str, i: int, j: int, how: str, data: TrainingData, other: TrainingData, files: Sequence[str | None]
) -> Finding:
    where = "test sample" if kind == "leaks" else "sample"
    detail = f"{how} as {where} {j}"
    labels = [None if one.classes is None else one.classes[k] for one, k in ((data, i), (other, j))]
    apart = labels[0] is not None and labels[1] is not None and bool((labels[0] != labels[1]).any())
    return Finding(kind, i, f"{detail}, under another label" if apart else detail, j, 1.0 + apart, files[i])
