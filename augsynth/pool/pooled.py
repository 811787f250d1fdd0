"""What a pool hands out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from torch import Tensor

from augsynth.batch import Provenance, SampleBatch
from augsynth.pool.slots import decoded


class Pooled(SampleBatch):
    """A batch whose form for filters is made when a filter asks for it."""

    def __init__(
        self, spec: Any, raw: Any, classes: Any, seeds: Tensor, topics: Tensor | None, common: Mapping[str, Any]
    ) -> None:
        labels = spec.labels
        raw = decoded(spec, raw)
        self.x = spec.yielded(raw)
        self.y = None if labels is None else labels.batched(classes)
        self.classes = None if labels is None else classes
        known = spec.topics
        self.topics = None if known is None else topics
        conditions: dict[str, Any] = {"condition": (labels, self.classes)}
        if known is not None:
            conditions["topic"] = (known, topics)
        self.meta = Provenance(seeds, conditions, dict(common))
        self._raw, self._spec = raw, spec

    @cached_property
    def model_x(self) -> Any:
        return self._spec.raw_to_model(self._raw)

    def __len__(self) -> int:
        return len(self._raw)
