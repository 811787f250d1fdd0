"""What a search found: the blend to use, or that none is better than real data alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from augsynth.blending.dataset import SyntheticDataset
from augsynth.utility.comparison import Comparison
from augsynth.utility.result import write_json


@dataclass(frozen=True)
class Tuning:
    """The outcome of :func:`tune`.

    Attributes:
        ratio: the ratio to use: a number, or a mapping label → number; 0 where synthetic samples gained nothing.
        params: all settings of the chosen blend; ``{"ratio": 0.0}`` for none.
        verdict: ``"use"`` or ``"don't"``.
        sentence: the same for people, with the interval.
        comparison: the best candidate against ratio 0, on seeds that the search did not use; None where the search
            had no candidate above the score of ratio 0.
        trials: settings and score of every trial, in order.
        settings: everything that was set.
        generator: the generator of the chosen blend; None for ratio 0.
    """

    ratio: float | dict[Any, float]
    params: dict[str, Any]
    verdict: str
    sentence: str
    comparison: Comparison | None
    trials: list[dict[str, Any]]
    settings: dict[str, Any]
    generator: Any = field(default=None, repr=False, compare=False)
    options: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def blend(self, real: Any, **options: Any) -> SyntheticDataset:
        """``real`` blended as was found; ``options``, such as ``seed``, are further ones of
        :class:`SyntheticDataset`."""
        return SyntheticDataset(real, self.generator, **{**self.options, **options})

    def to_json(self) -> dict[str, Any]:
        """Every number, as plain data."""
        plain = {k: v for k, v in vars(self).items() if k not in ("generator", "options", "comparison")}
        return {**plain, "comparison": None if self.comparison is None else asdict(self.comparison)}

    def save(self, folder: str | Path) -> Path:
        """Write ``tuning.json`` into ``folder``; returns its path. Raises ConfigError where that is not possible."""
        path = Path(folder) / "tuning.json"
        write_json(path, self.to_json())
        return path
