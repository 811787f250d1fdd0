"""When to stop before all seeds have run."""

from __future__ import annotations

from dataclasses import dataclass

FIRST = 3  # seeds before the first look
_EARLY = 0.01


@dataclass(frozen=True)
class Looks:
    """Looks at the paired differences after 3, 4, ... seeds, each at a level of its own.

    The early looks share an error of 0.01, and the last one has what is left of 0.05: by the union bound, the chance
    that any of them sees a difference where there is none is at most 0.05 (Haybittle 1971, Peto et al. 1976).

    Args:
        seeds: number of seeds at most.
        early: whether there are looks before the last.
    """

    seeds: int
    early: bool

    @property
    def before(self) -> int:
        """Number of looks before the last."""
        return max(0, self.seeds - FIRST) if self.early else 0

    def level(self, done: int) -> float:
        """Confidence level of the look after ``done`` seeds."""
        if not self.before:
            return 0.95
        return 1 - _EARLY / self.before if done < self.seeds else 1 - (0.05 - _EARLY)

    def is_due(self, done: int) -> bool:
        """Whether there is a look after ``done`` seeds."""
        return done >= self.seeds or (self.early and done >= FIRST)
