"""What the blends of datasets and of streams share: their epoch, their seed, and transforms that follow it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from augsynth.blending.real_form import RealForm
from augsynth.blending.shared_state import SharedState
from augsynth.blending.source import Filters, LabelledSource
from augsynth.errors import ConfigError
from augsynth.pool.sample_pool import SamplePool
from augsynth.seeding import derive
from augsynth.transforms.seeded import apply_seeded


class Blend:
    """Base of :class:`SyntheticDataset` and :class:`SyntheticIterableDataset`."""

    seed: int | None
    _labelled: LabelledSource
    _form: RealForm
    _filters: Filters
    _shared: SharedState

    @property
    def epoch(self) -> int:
        """The current epoch."""
        return self._shared.epoch

    @property
    def acceptance_rate(self) -> float | None:
        """Share of the generated samples that the filters let pass, over all workers; None without filters."""
        return self._shared.acceptance_rate if self._filters.filters else None

    def stats(self) -> dict[str, Any]:
        """Figures over all workers since the first sample; cheap enough to ask for in every epoch.

        Returns:
            ``samples`` handed out, ``samples_per_second`` (of the wall clock, whatever the training loop did besides),
            ``synthetic`` ones, in number and as ``synthetic_share``, ``synthetic_this_epoch``, the
            ``acceptance_rate`` of the filters (None without), and ``seconds_generating``, which the workers together
            spent on synthetic samples. With a :class:`SamplePool` also ``reuse``, how often each of its samples was
            served in this epoch, on average, ``seconds_waited`` for it, and its own figures as ``pool``.
        """
        figures = self._shared.stats()
        if isinstance(self._labelled.source, SamplePool):
            pool = self._labelled.source
            own = pool.stats()
            figures["reuse"] = figures["synthetic_this_epoch"] / pool.size
            figures |= {"seconds_waited": own.pop("waited"), "pool": own}
        return figures

    def _restore_epoch(self, state: Mapping[str, Any]) -> None:
        if not isinstance(state.get("epoch"), int) or "seed" not in state:
            raise ConfigError(
                f"a state with {', '.join(map(repr, state)) or 'nothing'}: expected what state_dict() gave"
            )
        if state["seed"] != self.seed:
            raise ConfigError(f"the state was taken with seed={state['seed']!r}, this dataset has seed={self.seed!r}")
        self._go_to(state["epoch"])

    def _go_to(self, epoch: int) -> None:
        self._shared.epoch = epoch
        if hasattr(self._labelled.source, "set_epoch"):
            self._labelled.source.set_epoch(self.epoch)

    def _transform(self, transform: Any, samples: list[Any], at: Sequence[int], seeds: Tensor, stream: int) -> None:
        """Transform the inputs of the samples ``at``, in place; ``seeds`` (n,) are those of all positions."""
        structure = self._form.structure
        chosen = None if self.seed is None else derive(seeds[list(at)], stream)
        made = apply_seeded(transform, [structure.x_of(samples[i]) for i in at], chosen, self._form.spec)
        if any(x is None for x in made):
            raise ConfigError(f"the transform {transform!r} returned None: what it makes of an input is to be returned")
        for i, x in zip(at, made, strict=True):
            samples[i] = structure.replace_x(samples[i], x)
