"""What a source hands out: samples, their labels, and where each came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor


class Named(Protocol):
    """Conditions with names: labels, topics."""

    def display(self, index: Any) -> str:
        """The name of the one at ``index``."""


class Provenance(Sequence[dict[str, Any]]):
    """Where each of n samples came from; the rows are made when they are asked for.

    ``provenance[i]`` is a dict with ``synthetic``, ``plugin``, ``checkpoint``, ``seed``, ``condition``, the
    ``topic`` where the generator knows topics, and the settings of sampling.
    """

    def __init__(
        self, seeds: Tensor, conditions: Mapping[str, tuple[Named | None, Tensor | None]], common: dict[str, Any]
    ) -> None:
        self.seeds = seeds
        self._conditions, self._common = conditions, common

    def __len__(self) -> int:
        return len(self.seeds)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        named = {
            key: "" if names is None or positions is None else names.display(positions[index])
            for key, (names, positions) in self._conditions.items()
        }
        common = {
            key: value[index].item() if isinstance(value, Tensor) else value for key, value in self._common.items()
        }
        return {"synthetic": True, **common, "seed": int(self.seeds[index]), **named}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[i] for i in range(len(self)))


def samples_by_class(generator: Any, n: int, *, seed: int = 0) -> dict[str, SampleBatch]:
    """n samples of each class of a fitted generator, by the name of the class; of one without labels, as ``"all"``."""
    labels = generator.spec.classes if generator.conditional else None
    if labels is None:
        return {"all": generator.sample(n, seed=seed)}
    return {labels.display(c): generator.sample(n, labels=labels.values[c], seed=seed) for c in range(len(labels))}


@dataclass
class SampleBatch:
    """n generated samples.

    Attributes:
        x: what the dataset yields, n of them: a tensor (n, ...), an array (n, ...), or a list.
        y: their labels: (n,) tensor, a list of strings, or None without labels.
        meta: provenance of each sample.
        model_x: the same samples as generators see them, for filters.
        classes: (n,) int64 positions of the labels among the generator's classes; of other targets the vectors that it
            saw, (n, d) float32; or None.
        topics: (n,) int64 positions of the topics, or None.
    """

    x: Any
    y: Tensor | list[str] | None
    meta: Sequence[dict[str, Any]]
    model_x: Any = field(repr=False)
    classes: Tensor | None = field(default=None, repr=False)
    topics: Tensor | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.model_x)
