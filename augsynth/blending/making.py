"""Make the samples of an epoch: read the real ones, generate or vary the others, transform both."""

from __future__ import annotations

import time
from collections.abc import Callable, MutableSequence, Sequence
from functools import cached_property
from typing import Any, TypeVar

import torch
from torch import Tensor

from augsynth._numbers import check_whole
from augsynth._rng_guard import preserved_rng, seed_global
from augsynth.batch import SampleBatch
from augsynth.blending.blend import Blend
from augsynth.blending.plan import Decision, EpochPlan
from augsynth.blending.real_data import holds_blend, is_blend, positions_of, read
from augsynth.blending.source import Drawn, Rows, refuse_forked_cuda
from augsynth.blending.stacked import Columns, Made, StackedSamples
from augsynth.blending.strength import ByClass
from augsynth.blending.variations import Variations
from augsynth.errors import ConfigError
from augsynth.pool.sample_pool import SamplePool
from augsynth.seeding import derive

_M = TypeVar("_M", bound="Making")

READ, OWN, COMMON = 0x4EAD, 0x7A0, 0x7A1
REAL_META = {"synthetic": False, "plugin": "", "checkpoint": "", "seed": -1, "condition": "", "topic": ""}


class Making(Blend):
    """What a map-style blend does for the positions that it is asked for."""

    real: Any
    source: Any
    mode: str
    transform: Any
    real_transform: Any
    synthetic_transform: Any
    soft_labels: Callable[[list[Any]], Any] | None
    strength: ByClass
    _strengths: Tensor | None
    vary_options: dict[str, Any]
    provenance: bool
    _kept: Variations | None
    _label_condition: Any
    _seeded_reading: bool

    def make_ahead(self: _M, *, progress: bool = True) -> _M:
        """Make now what is made once and kept: the ``variations`` of all real samples, or the pool of this epoch.

        Without it they are made when they are first asked for. After it, workers need no generator, which may be on a
        GPU. Variations follow from the seed of the blend, and with ``seed=None`` are the same in every run.

        Args:
            progress: show a progress bar on a terminal.

        Raises:
            ConfigError: nothing is kept; samples are made when they are asked for.
        """
        source = self._labelled.source
        if self._kept is not None:
            self._kept.make_all(self._variations_of, progress=progress)
        elif isinstance(source, SamplePool):
            source.fill()
        else:
            raise ConfigError(
                "there is nothing to make ahead: samples are made when they are asked for. Pass a SamplePool, or "
                "variations= with mode='vary'"
            )
        return self

    def _items(
        self, indices: Sequence[int], plan: EpochPlan, *, traced: bool
    ) -> tuple[list[Any], list[dict[str, Any]] | None]:
        """Samples without the field ``meta``, and their provenance if ``traced``."""
        positions = positions_of(indices, len(plan))
        decision = plan.decide(positions)
        samples: list[Any] = [None] * len(positions)
        meta: list[dict[str, Any]] | None = [{}] * len(positions) if traced else None
        self._put_real(decision, samples, meta)
        self._put_synthetic(decision, samples, meta)
        if self.transform is not None:
            self._transform(self.transform, samples, range(len(samples)), decision.seeds, COMMON)
        return samples, meta

    @cached_property
    def _plain(self) -> bool:
        """Whether real samples pass unchanged."""
        changed = (self.transform, self.real_transform, self.soft_labels)
        return all(one is None for one in changed) and not self.provenance and not self._seeded_reading

    @cached_property
    def _columns(self) -> Columns | None:
        """The arrays behind the real data, where there are some, and nothing changes what is read of them."""
        return Columns.of(self.real, self._form.structure, self._form.labels) if self._plain else None

    @cached_property
    def _straight(self) -> bool:
        """Whether synthetic samples can be read straight into their batch."""
        columns = self._columns
        return columns is not None and columns.large and self._labelled.keeps(columns.inputs[0])

    def _unchanged(self, indices: Sequence[int], plan: EpochPlan) -> MutableSequence[Any]:
        """Real samples alone, as they are."""
        if self._columns is None:
            return read(self.real, indices)
        rows = self._columns.at(positions_of(indices, len(plan)))
        return StackedSamples(columns=self._columns, rows=rows)

    def _stacked(self, indices: Sequence[int], plan: EpochPlan) -> StackedSamples | None:
        """The samples as arrays; None where they are not to be had so."""
        columns = self._columns
        changed = self.mode == "vary" or self.synthetic_transform is not None
        if columns is None or changed or self._label_condition is None:
            return None
        decision = plan.decide(positions_of(indices, len(plan)))
        rows = decision.synthetic.nonzero().flatten()
        if not len(rows):
            return StackedSamples(columns=columns, rows=columns.at(decision.sources))
        at = (~decision.synthetic).nonzero().flatten()
        real = columns.at(decision.sources.index_select(0, at))
        labels: Any = self._form.labels
        wanted, began = decision.classes.index_select(0, rows), time.perf_counter_ns()
        asked, seeds, y = labels.values_of(wanted), decision.seeds.index_select(0, rows), labels.batched(wanted)
        room = columns.room(len(decision.seeds)) if self._straight else None
        if room is not None and columns.takes(room, y):
            self._labelled.draw_into(room, rows, asked, seeds)
            made = Made(y, rows, lambda: self._labelled.draw(asked, seeds).stacked, room)
        elif (x := self._labelled.draw(asked, seeds).stacked) is not None and columns.takes(x, y):
            made = Made(y, rows, lambda: x)
        else:
            self._columns = None  # nor will later ones be: nothing is drawn in vain again
            return None
        self._shared.generated(len(rows), time.perf_counter_ns() - began)
        return StackedSamples(columns=columns, rows=real, at=at, made=made)

    def _put_real(self, decision: Decision, samples: list[Any], meta: list[dict[str, Any]] | None) -> None:
        rows = (~decision.synthetic).nonzero().flatten()
        at = rows.tolist()
        if not at:
            return
        loaded, traces = self._load(decision.sources[rows].tolist(), decision.seeds[rows], traced=meta is not None)
        _put(samples, at, loaded if self.soft_labels is None else self._hardened(loaded))
        if meta is not None:
            _put(meta, at, traces)
        if self.real_transform is not None:
            self._transform(self.real_transform, samples, at, decision.seeds, OWN)

    def _put_synthetic(self, decision: Decision, samples: list[Any], meta: list[dict[str, Any]] | None) -> None:
        rows = decision.synthetic.nonzero().flatten()  # indexing by a tensor takes a fifth of that by a list
        at = rows.tolist()
        if not at:
            return
        began = time.perf_counter_ns()
        if self.mode == "vary":
            made, traces = self._varied(decision.sources[rows].tolist(), decision.seeds[rows])
        else:
            made, traces = self._generated(decision.classes[rows], decision.seeds[rows])
        self._shared.generated(len(at), time.perf_counter_ns() - began)
        _put(samples, at, made if self.soft_labels is None else self._softened(made))
        if meta is not None:
            for i, trace in zip(at, traces, strict=True):
                meta[i] = {key: trace.get(key, default) for key, default in REAL_META.items()}
                meta[i]["index"] = int(decision.sources[i])
        if self.synthetic_transform is not None:
            self._transform(self.synthetic_transform, samples, at, decision.seeds, OWN)

    def _generated(self, wanted: Tensor, seeds: Tensor) -> tuple[list[Any], Sequence[Any]]:
        labels = self._form.labels
        if labels is None or int(wanted[0]) < 0:  # the generator chooses
            drawn = self._labelled.draw(None, seeds)
            names = self.source.spec.labels
            return self._form.build(drawn.inputs, drawn.classes, names), drawn.meta
        drawn = self._labelled.draw(labels.values_of(wanted), seeds)
        return self._form.build(drawn.inputs, wanted), drawn.meta

    def _kept_variations(self, each: int | None) -> Variations | None:
        check_whole(or_none=True, variations=each)
        if each is None:
            return None
        if self.mode != "vary":
            raise ConfigError(f"variations={each}: they are for mode='vary', and the mode is {self.mode!r}")
        if holds_blend(self.real):
            raise ConfigError(
                f"variations={each}: the real dataset holds a SyntheticDataset, whose samples differ by epoch; leave "
                "it out, or vary a dataset whose samples stay"
            )
        return Variations(self.source, len(self.real), each, self.seed or 0)

    def _varied(self, sources: list[int], seeds: Tensor) -> tuple[list[Any], Sequence[Any]]:
        structure = self._form.structure
        loaded, _ = self._load(sources, seeds, traced=False)
        if self._kept is None:
            drawn = self._new_variations(loaded, seeds)
        else:
            labels = [structure.y_of(sample) for sample in loaded] if self.source.conditional else None
            drawn = self._kept.read(sources, seeds, labels, self._variations_of)
        return [structure.replace_x(sample, x) for sample, x in zip(loaded, drawn.inputs, strict=True)], drawn.meta

    def _variations_of(self, sources: list[int], seeds: Tensor) -> Drawn:
        """Variations that are functions of their seeds and of the real samples, whatever these are read for."""
        own = derive(self.seed or 0, READ, torch.tensor(sources))
        return self._new_variations(self._load(sources, own, traced=False)[0], seeds)

    def _new_variations(self, loaded: list[Any], seeds: Tensor) -> Drawn:
        structure = self._form.structure
        labelled, by_class, known = self.source.conditional, self._strengths, self._form.labels

        def make(rows: Rows, row_seeds: Tensor) -> SampleBatch:
            given = loaded if isinstance(rows, slice) else [loaded[i] for i in rows]
            inputs = [structure.x_of(sample) for sample in given]
            labels = [structure.y_of(sample) for sample in given] if labelled or by_class is not None else None
            far: Any = self.strength
            if by_class is not None and known is not None and labels is not None:
                far = by_class[known.indices(labels)]
            made: SampleBatch = self.source.vary(
                inputs, labels if labelled else None, strength=far, seeds=row_seeds, **self.vary_options
            )
            return made

        refuse_forked_cuda(self.source)
        return self._filters.draw(make, seeds)

    def _softened(self, made: list[Any]) -> list[Any]:
        """Synthetic samples with the probabilities that ``soft_labels`` gives them."""
        labels, structure = self._form.labels, self._form.structure
        if labels is None or self.soft_labels is None:
            raise ValueError("soft labels are for labelled data")
        said = torch.as_tensor(self.soft_labels([structure.x_of(sample) for sample in made])).detach().cpu().float()
        if said.shape != (len(made), len(labels)):
            raise ConfigError(
                f"soft_labels returned shape {tuple(said.shape)} for {len(made)} inputs of {len(labels)} classes"
            )
        return [structure.replace_y(sample, row) for sample, row in zip(made, said.unbind(), strict=True)]

    def _hardened(self, loaded: list[Any]) -> list[Any]:
        """Real samples with all probability on their label."""
        labels, structure = self._form.labels, self._form.structure
        if labels is None:
            raise ValueError("soft labels are for labelled data")
        rows = torch.eye(len(labels))[labels.indices([structure.y_of(sample) for sample in loaded])]
        return [structure.replace_y(sample, row) for sample, row in zip(loaded, rows.unbind(), strict=True)]

    def _load(self, indices: list[int], seeds: Tensor, *, traced: bool) -> tuple[list[Any], list[dict[str, Any]]]:
        """Real samples, and their provenance if ``traced``."""
        if is_blend(self.real):
            samples, inner = self.real._items(indices, self.real._epoch_plan(), traced=traced)
            return samples, inner or []
        rows = [{**REAL_META, "index": index} for index in indices] if traced else []
        if not self._seeded_reading:
            return read(self.real, indices), rows
        samples = []
        with preserved_rng():
            for index, seed in zip(indices, derive(seeds, READ).tolist(), strict=True):
                seed_global(seed)
                samples.append(self.real[index])
        return samples, rows


def _put(target: list[Any], at: Sequence[int], values: Sequence[Any]) -> None:
    for i, value in zip(at, values, strict=True):
        target[i] = value
