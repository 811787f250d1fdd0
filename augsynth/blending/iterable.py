"""The blend for streams."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch.utils.data import IterableDataset, get_worker_info

from augsynth._distributed import ranks
from augsynth._filtering import Filter
from augsynth._numbers import check_whole
from augsynth._rng_guard import preserved_rng
from augsynth.blending.blend import Blend
from augsynth.blending.compatibility import check_alike, check_source
from augsynth.blending.condition import Condition, check_condition, split_condition
from augsynth.blending.plan import EpochPlan
from augsynth.blending.ratio import Ratio
from augsynth.blending.real_form import RealForm, probed
from augsynth.blending.shared_state import SharedState
from augsynth.blending.source import Filters, LabelledSource
from augsynth.blending.sources import several
from augsynth.blending.stream_reading import StreamReader, first_of
from augsynth.blending.stream_shares import share_of
from augsynth.errors import ConfigError, DataError
from augsynth.recognition import check_dataset
from augsynth.seeding import check_seed
from augsynth.structure import Fields
from augsynth.transforms.seeded import check_transform

_COMMON = 0x7A1


class SyntheticIterableDataset(Blend, IterableDataset[Any]):
    """A stream in which a share of the samples is generated.

    Position i of the stream in epoch e is decided by (seed, e, i) alone, as in :class:`SyntheticDataset`. Under worker
    processes and distributed training, the stream is dealt out position by position, so that no sample comes twice.
    Streams that deal themselves out are left to it: an ``IterableDataset`` of Hugging Face ``datasets`` (to workers; to
    ranks after ``split_dataset_by_node``), WebDataset, and MosaicML's ``StreamingDataset``. Their parts are numbered in
    turn, so that position i is then another sample with another number of workers.

    Args:
        real: an iterable that starts anew at each ``iter``.
        source: a fitted generator whose samples have the form of the real ones; it must know the stream's labels. Or
            several, as of :class:`SyntheticDataset`.
        ratio: a number, a mapping label → number, or a schedule of the epoch.
        condition: ``"match"``, a mapping label → weight, a callable, topics, or None. ``"balance"`` needs the class
            frequencies, which a stream does not tell; pass a mapping.
        sharded: whether ``real`` yields another part in each worker and rank by itself. None recognises the streams
            named above, and takes any other for one that does not.
        buffer_size: how many samples are read ahead, to be generated in one forward pass.
        transform, synthetic_transform, filters, seed, provenance: as of :class:`SyntheticDataset`.
        fields, fill, temperature, truncation, sample_options: likewise.

    Raises:
        As :class:`SyntheticDataset`.
    """

    def __init__(
        self,
        real: Iterable[Any],
        source: Any,
        *,
        ratio: Ratio | None = None,
        condition: Condition = "match",
        sharded: bool | None = None,
        buffer_size: int = 256,
        transform: Any = None,
        synthetic_transform: Any = None,
        filters: Filter | Sequence[Filter] = (),
        seed: int | None = None,
        provenance: bool = False,
        fields: Fields | None = None,
        fill: Mapping[Any, Any] | None = None,
        temperature: float = 1.0,
        truncation: float | None = None,
        sample_options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if not hasattr(real, "__iter__") or isinstance(real, Iterator):
            hint = "; for what has len() and [] there is SyntheticDataset" if hasattr(real, "__getitem__") else ""
            raise DataError(
                f"real is of type {type(real).__name__}: expected an iterable that can be started anew{hint}"
            )
        check_dataset(real)
        source, ratio = several(source, ratio)
        if condition == "balance":
            raise ConfigError(
                "condition='balance': a stream does not tell its class frequencies; pass a mapping label → weight"
            )
        check_whole(buffer_size=buffer_size)
        check_transform("transform", transform)
        check_transform("synthetic_transform", synthetic_transform)
        self.real, self.source, self.ratio, self.condition = real, source, ratio, condition
        self.sharded, self.buffer_size = sharded, buffer_size
        self.transform, self.synthetic_transform = transform, synthetic_transform
        self.seed = None if seed is None else check_seed(seed)
        self.provenance = provenance
        self._shared = SharedState()
        self._reader: StreamReader | None = None
        self._saved: Mapping[str, Any] | None = None
        settings = {"temperature": temperature, "truncation": truncation, **(sample_options or {})}
        self._filters = Filters(filters, self._shared.count)
        self._told_rank = (0, 1)
        self._resume_at = self._position = 0
        with preserved_rng():
            first = first_of(real)
            if first is None:
                raise DataError("the stream is empty: there is nothing to blend with")
            structure, spec, raw = probed(first, fields, source, real)
            source_spec = getattr(source, "spec", None)
            labels = getattr(source_spec, "labels", None) if structure.labelled else None
            if structure.labelled and source_spec is not None and labels is None:
                raise ConfigError(
                    "the stream is labelled and the generator is not conditional; "
                    "pass condition=None with fields={'x': ..., 'y': None}"
                )
            if labels is not None and not labels.categorical:
                raise ConfigError(
                    f"the generator was fitted with targets of kind {labels.kind!r}: of a stream, only classes can be "
                    "matched; pass condition=None with fields={'x': ..., 'y': None}, or use SyntheticDataset"
                )
            self._form = RealForm(structure, spec, labels, fill or {})
            self._form.check_filled()
            self._label_condition, topics = split_condition(condition, labels, getattr(source_spec, "topics", None))
            check_condition(self._label_condition, labels)
            self._labelled = LabelledSource(source, settings, self._filters, topics)
            check_source(source_spec, self._form, raw, needed={})
            EpochPlan(
                1, None, labels, ratio=ratio, condition=self._label_condition, mode="replace", seed=self.seed, epoch=0
            )
            one = self._labelled.draw(None, torch.zeros(1, dtype=torch.int64))
            x, made = structure.x_of(first), one.inputs[0]
            if spec is None or not spec.interchangeable(x, made):
                check_alike(x, made, "the input", ragged=spec is not None and not spec.tensors)
            self._shared.reset_counters()

    def __iter__(self) -> Iterator[Any]:
        share = share_of(self.real, self.sharded, self._rank)
        start, self._resume_at = self._resume_at, 0
        saved, self._saved = self._saved, None
        self._position = start
        self._reader = reader = StreamReader(self.real, share, self._digestible, start=start, saved=saved)
        while chunk := reader.chunk(self.buffer_size):
            blended = self._blended([(share.position(arrived), sample) for arrived, sample in chunk])
            for (arrived, _), sample in zip(chunk, blended, strict=True):
                self._position = arrived + 1
                self._shared.serve(1)
                yield sample

    def _blended(self, chunk: list[tuple[int, Any]]) -> list[Any]:
        structure, labels = self._form.structure, self._form.labels
        positions = torch.tensor([position for position, _ in chunk])
        samples = [sample for _, sample in chunk]
        classes = labels.indices([structure.y_of(sample) for sample in samples]) if labels is not None else None
        plan = EpochPlan(
            len(samples),
            classes,
            labels,
            ratio=self.ratio,
            condition=self._label_condition,
            mode="replace",
            seed=self.seed,
            epoch=self.epoch,
        )
        decision = plan.decide(positions, rows=torch.arange(len(samples)))
        meta: list[dict[str, Any]] = [
            {"synthetic": False, "plugin": "", "checkpoint": "", "seed": -1, "condition": "", "topic": "", "index": p}
            for p, _ in chunk
        ]
        at = decision.synthetic.nonzero().flatten().tolist()
        if at:
            wanted = decision.classes[at].tolist()
            chosen = labels is None or wanted[0] < 0  # by the generator
            requested = None if labels is None or chosen else labels.values_of(decision.classes[at])
            began = time.perf_counter_ns()
            drawn = self._labelled.draw(requested, decision.seeds[at])
            self._shared.generated(len(at), time.perf_counter_ns() - began)
            made = self._form.build(drawn.inputs, drawn.classes, labels)
            for j, i in enumerate(at):
                samples[i] = made[j]
                meta[i] = {key: drawn.meta[j].get(key, default) for key, default in meta[i].items()} | {"index": -1}
            if self.synthetic_transform is not None:
                self._transform(self.synthetic_transform, samples, at, decision.seeds, _COMMON - 1)
        if self.transform is not None:
            self._transform(self.transform, samples, range(len(samples)), decision.seeds, _COMMON)
        return [structure.with_meta(s, m) for s, m in zip(samples, meta, strict=True)] if self.provenance else samples

    def set_epoch(self, epoch: int) -> None:
        """Go to ``epoch``; handed on to the stream if it has ``set_epoch``. Another epoch than that of a state that
        was loaded starts at its beginning."""
        if epoch != self.epoch:
            self._start_at(0, None)
        self._go_to(epoch)

    def state_dict(self) -> dict[str, Any]:
        """Epoch and position in the stream, and the stream's own state where it has ``state_dict``."""
        stream = self._saved if self._reader is None else self._reader.saved
        return {"epoch": self.epoch, "seed": self.seed, "position": self._position, "stream": stream}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state`` at the next ``iter``. A stream with ``load_state_dict`` goes there itself; of others,
        earlier positions are read and skipped."""
        self._restore_epoch(state)
        self._start_at(state["position"], state.get("stream"))

    def _go_to(self, epoch: int) -> None:
        super()._go_to(epoch)
        if hasattr(self.real, "set_epoch"):
            self.real.set_epoch(self.epoch)

    def _start_at(self, position: int, saved: Mapping[str, Any] | None) -> None:
        self._resume_at = self._position = position
        self._saved, self._reader = saved, None

    def _digestible(self, sample: Any) -> bytes:
        """What a sample is known again by."""
        spec, x = self._form.spec, self._form.structure.x_of(sample)
        return repr(x).encode() if spec is None else b"".join(spec.digestible(spec.stacked([spec.to_raw(x)])))

    def __getstate__(self) -> dict[str, Any]:
        # a spawned worker does not know of the ranks; what is being read stays with the process that reads it
        return {**self.__dict__, "_told_rank": self._rank, "_reader": None}

    @property
    def _rank(self) -> tuple[int, int]:
        alone = (0, 1) if get_worker_info() is None else self._told_rank
        return ranks() or alone
