"""What came of a comparison of arms."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from augsynth._atomic import atomic_file
from augsynth.errors import ConfigError
from augsynth.utility.comparison import Comparison, compare, mean_interval


@dataclass(frozen=True)
class ArmResult:
    """Scores of one arm.

    Attributes:
        scores: one per seed, in [0, 1].
        mean, std: over the seeds.
        interval: 95 % confidence interval of the mean.
        per_class: class → (mean, low, high) of its recall.
        gain: mean gain over the baseline, its low and its high end; None for the baseline.
    """

    scores: list[float]
    mean: float
    std: float
    interval: tuple[float, float]
    per_class: dict[str, tuple[float, float, float]]
    gain: tuple[float, float, float] | None


@dataclass(frozen=True)
class Uplift:
    """The verdict of :func:`uplift`, and every number behind it.

    Attributes:
        verdict: ``"helps"``, ``"hurts"`` or ``"no difference"``: of the arm ``candidate`` against ``baseline``.
        sentence: the same for people, with the interval.
        comparison: difference, interval and level.
        baseline, candidate: names of the two arms that the verdict compares.
        arms: name → :class:`ArmResult`.
        metric: name of the score.
        stopped_early: whether it was clear before all seeds had run.
        caveats: what to know before relying on it.
        settings: everything that was set, with sizes and versions.
        curves: arm → one list of (step, score) per seed.
    """

    verdict: str
    sentence: str
    comparison: Comparison
    baseline: str
    candidate: str
    arms: dict[str, ArmResult]
    metric: str
    stopped_early: bool
    caveats: list[str]
    settings: dict[str, Any]
    curves: dict[str, list[list[tuple[int, float]]]] = field(repr=False, default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Every number, as plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Uplift:
        """The inverse of :meth:`to_json`."""

        def arm(one: Mapping[str, Any]) -> ArmResult:
            per_class = {name: tuple(row) for name, row in one["per_class"].items()}
            gain = None if one["gain"] is None else tuple(one["gain"])
            return ArmResult(**{**one, "interval": tuple(one["interval"]), "per_class": per_class, "gain": gain})

        own = {**data["comparison"], "interval": tuple(data["comparison"]["interval"])}
        curves = {k: [[(s, v) for s, v in curve] for curve in rows] for k, rows in data["curves"].items()}
        arms = {name: arm(one) for name, one in data["arms"].items()}
        return cls(**{**data, "comparison": Comparison(**own), "arms": arms, "curves": curves})

    def save(self, folder: str | Path) -> Path:
        """Write ``uplift.json`` and ``uplift.html`` into ``folder``; returns the path of the page.

        Raises:
            ConfigError: the folder cannot be written.
            MissingDependencyError: the extra ``report`` is not installed; the JSON is there all the same.
        """
        from augsynth.report.pages import uplift_page

        folder = Path(folder)
        write_json(folder / "uplift.json", self.to_json())
        return uplift_page(self, folder / "uplift.html")

    def __str__(self) -> str:
        rows = [
            f"  {name:<28} {100 * arm.mean:6.2f} ± {100 * arm.std:.2f} %"
            + ("" if arm.gain is None else "   {:+.2f} [{:+.2f}, {:+.2f}]".format(*(100 * g for g in arm.gain)))
            for name, arm in self.arms.items()
        ]
        return "\n".join([self.sentence, *rows])


def write_json(path: Path, data: Any) -> None:
    """Write plain data, whole or not at all. Raises ConfigError where that is not possible."""
    try:
        with atomic_file(path) as draft:
            draft.write_text(json.dumps(data, indent=1, ensure_ascii=False, default=str), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from error


def summarised(
    trials: dict[str, list[dict[str, Any]]],
    *,
    baseline: str,
    candidate: str,
    metric: str,
    level: float,
    classes: list[str],
    rest: dict[str, Any],
) -> Uplift:
    """From finished trials, as many of each arm and in the order of their seeds, to the result."""
    scores = {name: [trial["score"] for trial in own] for name, own in trials.items()}
    arms = {}
    for name, own in scores.items():
        mean, low, high = mean_interval(own)
        per_class = {
            label: mean_interval([trial["recalls"][c] for trial in trials[name]]) for c, label in enumerate(classes)
        }
        gain = None
        if name != baseline:
            gain = mean_interval([b - a for a, b in zip(scores[baseline], own, strict=True)])
        std = statistics.stdev(own) if len(own) > 1 else 0.0
        arms[name] = ArmResult(own, mean, std, (low, high), per_class, gain)
    found = compare(
        scores[baseline],
        scores[candidate],
        what=f"“{candidate}” against “{baseline}”",
        metric=metric.replace("_", " "),
        level=level,
    )
    curves = {name: [[(s, v) for s, v in trial["curve"]] for trial in own] for name, own in trials.items()}
    return Uplift(found.word, found.sentence, found, baseline, candidate, arms, metric, curves=curves, **rest)
