"""What was found in a dataset, and what is left without it."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch.utils.data import Subset

from augsynth._atomic import atomic_file
from augsynth._cells import safe_cell
from augsynth.errors import ConfigError

KINDS = ("duplicates", "leaks", "labels", "outliers")
_TOLD = {
    "duplicates": "the same or nearly the same sample, once more",
    "leaks": "in the test data, too",
    "labels": "whose label is doubted",
    "outliers": "unlike all others",
}


@dataclass(frozen=True)
class Finding:
    """Something to know about a sample.

    Attributes:
        kind: one of :data:`KINDS`.
        index: position of the sample in the dataset.
        detail: what about it.
        other: position of the sample that it is like: in the dataset, or in the test data for ``"leaks"``; or None.
        score: how sure, where that can be said: higher is surer.
        file: of the sample, where the dataset knows one.
    """

    kind: str
    index: int
    detail: str
    other: int | None = None
    score: float | None = None
    file: str | None = None


@dataclass
class Preparation:
    """What :func:`augsynth.prepare` found. Nothing is taken out of the dataset until :meth:`cleaned` is asked.

    Attributes:
        dataset: what was looked at.
        findings: all of them.
        unreadable: what could not be read and is not in the dataset: file or row, and why.
        notes: what was not looked for, and why.
    """

    dataset: Any
    findings: list[Finding]
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    data: Any = field(default=None, repr=False)
    test: Any = field(default=None, repr=False)

    @property
    def counts(self) -> dict[str, int]:
        """Number of findings of each kind."""
        found = Counter(one.kind for one in self.findings)
        return {kind: found[kind] for kind in KINDS}

    @property
    def told(self) -> dict[str, str]:
        """What each kind means."""
        return dict(_TOLD)

    def of(self, kind: str) -> list[Finding]:
        """The findings of a kind, the surest first."""
        own = [one for one in self.findings if one.kind == kind]
        return sorted(own, key=lambda one: -(one.score or 0.0))

    def kept(self, drop: Collection[str] = ("duplicates", "leaks")) -> list[int]:
        """Positions of what is left without the samples of these kinds, ascending.

        Raises:
            ConfigError: no such kind.
        """
        if unknown := set(drop) - set(KINDS):
            raise ConfigError(f"drop={sorted(unknown)}: expected some of {', '.join(map(repr, KINDS))}")
        gone = {one.index for one in self.findings if one.kind in drop}
        return [i for i in range(len(self.dataset)) if i not in gone]

    def cleaned(self, drop: Collection[str] = ("duplicates", "leaks")) -> Any:
        """The dataset without the samples of these kinds. Raises as :meth:`kept`."""
        return Subset(self.dataset, self.kept(drop))

    def to_json(self, dropped: Collection[str] = ()) -> dict[str, Any]:
        """Everything, as plain data."""
        return {
            "samples": len(self.dataset),
            "found": self.counts,
            "dropped": sorted(dropped),
            "kept": len(self.kept(dropped)),
            "unreadable": [list(one) for one in self.unreadable],
            "notes": self.notes,
            "findings": [asdict(one) for one in self.findings],
        }

    def save(self, folder: str | Path, *, dropped: Collection[str] = ()) -> Path:
        """Write ``findings.json``, ``findings.csv`` and, with the extra ``report``, ``preparation.html``.

        Args:
            folder: where to.
            dropped: the kinds that are taken out, to be said.

        Returns:
            The page, or the JSON where there is none.
        """
        from augsynth.errors import MissingDependencyError
        from augsynth.report.pages import preparation_page
        from augsynth.utility.result import write_json

        folder = Path(folder)
        write_json(folder / "findings.json", self.to_json(dropped))
        with atomic_file(folder / "findings.csv") as draft:
            draft.write_text(_table(self.findings), encoding="utf-8")
        try:
            return preparation_page(self, folder / "preparation.html", dropped=dropped)
        except MissingDependencyError:
            return folder / "findings.json"

    def __str__(self) -> str:
        lines = [f"{len(self.dataset):,} samples"]
        if self.unreadable:
            lines[0] += f"; {len(self.unreadable)} more could not be read"
            lines += [f"  {name}: {why}" for name, why in self.unreadable]
        for kind, count in self.counts.items():
            lines.append(f"  {kind}: {count} {_TOLD[kind]}")
            lines += [f"    {_named(one)}: {one.detail}" for one in self.of(kind)[:5]]
            if count > 5:
                lines.append(f"    and {count - 5} more")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])


def _named(one: Finding) -> str:
    return f"{one.index} ({one.file})" if one.file else str(one.index)


def _table(findings: Iterable[Finding]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("kind", "index", "file", "other", "score", "detail"))
    for one in findings:
        writer.writerow(map(safe_cell, (one.kind, one.index, one.file, one.other, one.score, one.detail)))
    return text.getvalue()
