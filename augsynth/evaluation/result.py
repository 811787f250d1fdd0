"""What an evaluation found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from augsynth.evaluation.auditing.result import Audit
from augsynth.evaluation.figures import Figure
from augsynth.evaluation.flags import Flag
from augsynth.evaluation.label_agreement import Labels
from augsynth.evaluation.memorisation import Pair
from augsynth.utility.result import write_json


@dataclass
class Evaluation:
    """The verdict of :func:`evaluate`, and every number behind it.

    Attributes:
        flags: what is plainly wrong: a set out of ``"broken_promise"``, ``"copies"``, ``"collapsed"``,
            ``"unrealistic"``, ``"mislabelled"``.
        sentence: the verdict for people.
        reasons: the flags with their numbers.
        figures: name → :class:`Figure`, with interval, number of samples, and real-against-real floor.
        labels: requested against predicted labels; None without labels.
        diversity: class → (diversity relative to held-out samples, its interval).
        pairs: the samples that look most like copies, with the training samples nearest to them.
        warnings: what to know before relying on it.
        failed: name of a part → why it could not be measured; the rest stands.
        settings: everything that was set, with sizes and versions.
        audit: what attacks on the privacy of the training set achieve, and the ε that the fit claims, see
            :func:`augsynth.audit`, which tries more; None where it could not be measured.
    """

    flags: set[str]
    sentence: str
    reasons: list[Flag]
    figures: dict[str, Figure]
    labels: Labels | None
    diversity: dict[str, tuple[float, tuple[float, float]]]
    pairs: list[Pair]
    warnings: list[str]
    failed: dict[str, str]
    settings: dict[str, Any]
    pictures: Any = field(repr=False, default=None)
    audit: Audit | None = None

    def __getitem__(self, name: str) -> Figure:
        """The figure of that name; raises KeyError with the names there are."""
        if name not in self.figures:
            raise KeyError(f"there is no figure {name!r}; there are: {', '.join(self.figures)}")
        return self.figures[name]

    def to_json(self) -> dict[str, Any]:
        """Every number, as plain data."""
        plain = {
            name: value
            for name, value in vars(self).items()
            if name not in ("pictures", "figures", "labels", "reasons", "pairs", "audit")
        }
        return {
            **plain,
            "flags": sorted(self.flags),
            "reasons": [asdict(one) for one in self.reasons],
            "figures": {name: asdict(one) for name, one in self.figures.items()},
            "labels": None if self.labels is None else asdict(self.labels),
            "pairs": [asdict(one) for one in self.pairs],
            "audit": None if self.audit is None else self.audit.to_json(),
        }

    def save(self, folder: str | Path) -> Path:
        """Write ``evaluation.json`` and ``evaluation.html`` into ``folder``; returns the path of the page.

        The page holds training samples, beside the generated ones nearest to them: mind whom you hand it to.

        Raises:
            ConfigError: the folder cannot be written.
            MissingDependencyError: the extra ``report`` is not installed; the JSON is there all the same.
        """
        from augsynth.report.pages import evaluation_page

        folder = Path(folder)
        write_json(folder / "evaluation.json", self.to_json())
        return evaluation_page(self, folder / "evaluation.html")

    def __str__(self) -> str:
        def row(one: Figure) -> str:
            floor = "" if one.floor is None else f"   real {one.floor:.4g}"
            return f"  {one.name:<36} {one.value:10.4g}  [{one.interval[0]:.4g}, {one.interval[1]:.4g}]{floor}"

        lines = [self.sentence, *(f"- {flag.name}: {flag.reason}" for flag in self.reasons)]
        lines += [row(one) for one in self.figures.values()]
        lines += [] if self.audit is None else [str(self.audit)]
        lines += [f"! {text}" for text in self.warnings]
        return "\n".join(lines + [f"! {name} could not be measured: {why}" for name, why in self.failed.items()])
