"""Blend on the training device, after the batch has arrived there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from augsynth._distributed import ranks
from augsynth._names import name_of
from augsynth._numbers import checked_epoch
from augsynth._rng_guard import seed_torch, seeded_globals
from augsynth.batch import Provenance
from augsynth.blending.condition import Condition, balancing_weights, called, check_condition, drawn, mapped_weights
from augsynth.blending.device_draws import BatchDraws, EpochDraws
from augsynth.blending.graphs import GraphedDraw
from augsynth.blending.ratio import Ratio, resolve_ratio
from augsynth.errors import BrokenPluginError, CapabilityError, ConfigError, DataError, SpecMismatchError
from augsynth.labels.classes import LabelSpec
from augsynth.seeding import check_seed
from augsynth.structure import Fields, Structure

_PAIRS = (None, "same", "different")


class DeviceBlend:
    """Replaces rows of the batches that a loader yields by synthetic ones, on the training device.

    Where the generator is on a GPU, the next batch is moved and generated on a side stream while this one trains; on a
    CPU it is done when the batch is asked for. It yields what the loader yields, on the device, and as many batches.
    Batch i of epoch e is a function of (seed, rank, e, i) and of the batch.

    Args:
        loader: any iterable of batches: an input, (input, label, ...), or a dict; inputs are tensors (n, ...) that
            ``default_collate`` made.
        gen: a fitted generator of tensors; its device is where the batches go.
        ratio: share of the rows that is replaced, exact but for rounding, which is random; a mapping label → number,
            then each row by its own chance; or a schedule of the epoch.
        condition: label of a synthetic row: ``"match"``, that of the row it replaces; ``"balance"``, the classes that
            are rare in the generator's training data; a mapping label → weight; a callable ``(labels, u)``.
        pairs: put synthetic rows next to real ones, for what mixes each row with the one before it, as torchvision's
            v2 ``MixUp`` and ``CutMix`` do: ``"same"``, with the label of the row before; ``"different"``, with another.
        transform: on the device, of inputs (n, ...), such as a Kornia module or the transform ``"kornia"``.
        batch_transform: of (inputs, labels), such as ``v2.MixUp(num_classes=10)``.
        soft_labels: yield labels as (n, classes) float32, of the generator's classes.
        seed: None follows torch's RNG.
        rank: of this process; None asks ``torch.distributed``.
        cuda_graphs: on a GPU, capture the forward pass once for each size of request, so that no kernel waits for
            Python; worth it for small networks and batches of one size.
        provenance: add the field ``meta``, a list of n dicts.
        fields: where input and label are in a batch: ``{"x": key, "y": key}``.
        temperature, truncation, sample_options: of sampling.

    Raises:
        ConfigError, UnknownLabelError: an argument cannot be used.
        SpecMismatchError: the batches are not like the generator's samples; raised by the first one.

    Example:
        >>> for x, y in augsynth.DeviceBlend(loader, gen.to("cuda"), ratio=0.5, seed=0): ...
    """

    def __init__(
        self,
        loader: Iterable[Any],
        gen: Any,
        ratio: Ratio,
        *,
        condition: Condition = "match",
        pairs: str | None = None,
        transform: Callable[[Tensor], Tensor] | None = None,
        batch_transform: Callable[..., Any] | None = None,
        soft_labels: bool = False,
        seed: int | None = None,
        rank: int | None = None,
        cuda_graphs: bool = False,
        provenance: bool = False,
        fields: Fields | None = None,
        temperature: float = 1.0,
        truncation: float | None = None,
        sample_options: Mapping[str, Any] | None = None,
    ) -> None:
        if not hasattr(loader, "__iter__"):
            raise ConfigError(f"loader of type {type(loader).__name__}: expected an iterable of batches")
        spec = getattr(gen, "spec", None)
        if spec is None:
            raise ConfigError("the generator is not fitted: use augsynth.fit(...) or augsynth.load(...)")
        try:
            spec.collated(gen.sample(1, seed=0).model_x)
        except CapabilityError as error:
            raise ConfigError(
                f"{gen.plugin}: {error}. DeviceBlend is for tensors; there is SyntheticDataset"
            ) from error
        if pairs not in _PAIRS:
            raise ConfigError(f"pairs={pairs!r}: expected one of {', '.join(map(repr, _PAIRS))}")
        if pairs is not None and (spec.labels is None or condition != "match"):
            raise ConfigError(f"pairs={pairs!r} needs labels, and sets the condition itself")
        if pairs == "different" and len(spec.labels) < 2:
            raise ConfigError("pairs='different': there is one class only")
        for name, function in (("transform", transform), ("batch_transform", batch_transform)):
            if function is not None and (not callable(function) or isinstance(function, type)):
                raise ConfigError(f"{name}={function!r}: expected a callable, and no class")
        if spec.labels is not None and not spec.labels.categorical:
            raise ConfigError(
                f"the generator was fitted with targets of kind {spec.labels.kind!r}: DeviceBlend is for classes; use "
                "SyntheticDataset"
            )
        if soft_labels and spec.labels is None:
            raise ConfigError("soft_labels needs a generator that was fitted with labels")
        check_condition(condition, spec.labels)  # type: ignore[arg-type]
        resolve_ratio(ratio, 0, spec.labels)
        self.loader, self.gen, self.ratio, self.condition, self.pairs = loader, gen, ratio, condition, pairs
        self.transform, self.batch_transform, self.soft_labels = transform, batch_transform, soft_labels
        self.seed = None if seed is None else check_seed(seed)
        self.rank = _rank() if rank is None else rank
        self.provenance = provenance
        self.epoch = 0
        self._fields = fields
        self._options = {"temperature": temperature, "truncation": truncation, **(sample_options or {})}
        gen.sample(1, seed=0, **self._options)  # what cannot be used is said here
        draw = GraphedDraw(gen, self._options) if cuda_graphs else partial(gen.draw_many, **self._options)
        self._draw: Callable[[Tensor | None, Tensor], Tensor] = draw
        self._structure: Structure | None = None
        self._finite: Tensor | None = None

    def __len__(self) -> int:
        return len(self.loader)  # type: ignore[arg-type]

    def set_epoch(self, epoch: int) -> None:
        """Go to ``epoch``; handed on to the loader's sampler and dataset where they have ``set_epoch``."""
        self.epoch = checked_epoch(epoch)
        parts: tuple[Any, ...] = (
            self.loader,
            getattr(self.loader, "sampler", None),
            getattr(self.loader, "dataset", None),
        )
        for part in parts:
            if hasattr(part, "set_epoch"):
                part.set_epoch(self.epoch)

    def __iter__(self) -> Iterator[Any]:
        share = resolve_ratio(self.ratio, self.epoch, self.gen.spec.labels)
        draws, batches = EpochDraws(self.seed, self.rank, self.epoch), enumerate(self.loader)
        if self.gen.device.type != "cuda":
            for i, batch in batches:
                yield self._blended(batch, i, share, draws)
            return
        side = torch.cuda.Stream(self.gen.device)

        def prepared() -> Any:
            found = next(batches, None)
            if found is None:
                return None
            side.wait_stream(torch.cuda.current_stream(self.gen.device))
            with torch.cuda.stream(side):
                return (self._blended(found[1], found[0], share, draws),)

        ahead = prepared()
        while ahead is not None:
            torch.cuda.current_stream(self.gen.device).wait_stream(side)
            batch = ahead[0]
            _used_on_current_stream(batch)
            ahead = prepared()  # on its way before the training step is queued
            yield batch

    # ------------------------------------------------------------------ private

    def _blended(self, batch: Any, index: int, share: float | Tensor, draws: EpochDraws) -> Any:
        structure = self._structure or self._inspected(batch)
        labels: LabelSpec | None = self.gen.spec.labels
        device = self.gen.device
        x = structure.x_of(batch).to(device, non_blocking=True)
        y = structure.y_of(batch)
        own = labels.indices(y) if labels is not None and y is not None else None
        drawn_now = draws.of(index, len(x))
        rows = self._rows(len(x), own, share, drawn_now.rows)
        classes = self._classes(rows, own, drawn_now)
        seeds = drawn_now.seeds(rows)
        if len(rows):
            with torch.no_grad():
                made = self._draw(classes, seeds)
            self._check(made)
            # out of place: the loader's own tensor stays as it is
            x = x.index_copy(0, rows.to(device, non_blocking=True), self.gen.spec.collated(made).to(x.dtype))
        target = y
        if own is not None and labels is not None:
            now = own if classes is None else own.index_copy(0, rows, classes)
            if self.soft_labels:
                target = torch.nn.functional.one_hot(now, len(labels)).float().to(device, non_blocking=True)
            elif isinstance(y, Tensor):
                target = torch.as_tensor(labels.batched(now)).to(y.dtype).to(device, non_blocking=True)
            else:
                target = [labels.values[c] for c in now.tolist()]
        if self.transform is not None or self.batch_transform is not None:
            x, target = self._transformed(x, target, drawn_now.transform)
        made_batch = structure.replace_x(batch, x)
        if structure.labelled:
            made_batch = structure.replace_y(made_batch, target)
        if self.provenance:
            made_batch = structure.with_meta(made_batch, self._meta(len(x), rows, classes, seeds))
        return made_batch

    def _check(self, made: Tensor) -> None:
        """Raise if a sample is not finite; on a GPU that is looked at one batch later, so as not to wait for it."""
        finite, self._finite = self._finite, torch.isfinite(made.sum())
        if made.device.type == "cpu":
            finite = self._finite
        if finite is not None and not bool(finite):
            raise BrokenPluginError(f"{name_of(self.gen)} made NaN or infinite values")

    def _inspected(self, batch: Any) -> Structure:
        structure = Structure.of(batch, self._fields, [self.gen.spec])
        x, spec = structure.x_of(batch), self.gen.spec
        if not isinstance(x, Tensor):
            raise DataError(f"inputs of type {type(x).__name__}: expected a tensor (n, ...) that default_collate made")
        like = spec.collated(torch.zeros(1, *spec.shape))
        if x.shape[1:] != like.shape[1:] or x.dtype != like.dtype:
            raise SpecMismatchError(
                f"the batches have inputs {x.dtype} {tuple(x.shape)}, and the generator makes {like.dtype} "
                f"(n, {', '.join(map(str, like.shape[1:]))}); fit it on what the loader's dataset yields"
            )
        if spec.labels is not None and structure.y is None:
            raise SpecMismatchError("the generator was fitted with labels, and the batches have none; name fields=")
        if structure.labelled and spec.labels is None and self.condition is not None:
            raise SpecMismatchError("the generator was fitted without labels and cannot match those of the batches")
        self._structure = structure
        return structure

    def _rows(self, n: int, own: Tensor | None, share: float | Tensor, u: Tensor) -> Tensor:
        """(k,) rows to replace, ascending; ``u`` (n + 1,) in (0, 1)."""
        if isinstance(share, Tensor) and own is not None:
            return (u[:n] < share[own]).nonzero().flatten()
        wanted = float(share) * n
        k = int(wanted) + int(float(u[n]) < wanted % 1)
        if self.pairs is not None:  # at odd places, each behind a real row
            places = torch.arange(1, n, 2)
            return places[u[: len(places)].argsort()[:k]].sort().values
        return u[:n].argsort()[:k].sort().values

    def _classes(self, rows: Tensor, own: Tensor | None, draws: BatchDraws) -> Tensor | None:
        """(k,) class positions of the rows, or None without labels."""
        labels: LabelSpec | None = self.gen.spec.labels
        if labels is None or own is None:
            return None
        if self.pairs == "same":
            return own[rows - 1]
        if self.pairs is None and self.condition == "match":
            return own[rows]
        u = draws.classes(rows)
        if self.pairs is not None:
            before = own[rows - 1]
            return (before + 1 + (u * (len(labels) - 1)).long().clamp(max=len(labels) - 2)) % len(labels)
        if self.condition == "balance":
            counts = torch.tensor(labels.counts, dtype=torch.float64)
            return drawn(balancing_weights(counts, float(counts.max() * len(counts) - counts.sum())), u)
        if isinstance(self.condition, Mapping):
            return drawn(mapped_weights(self.condition, labels), u)
        if callable(self.condition):
            return called(self.condition, [labels.values[c] for c in own[rows].tolist()], u, labels)
        return own[rows]

    def _transformed(self, x: Tensor, y: Any, seed: int) -> tuple[Tensor, Any]:
        with seeded_globals(seed), torch.random.fork_rng(devices=[x.device] if x.is_cuda else []):
            seed_torch(seed)
            if self.transform is not None:
                one = self.transform
                x = one.apply_batch(x, seed) if hasattr(one, "apply_batch") else one(x)
            if self.batch_transform is not None:
                x, y = self._mixed(x, y)
        return x, y

    def _mixed(self, x: Tensor, y: Any) -> tuple[Tensor, Any]:
        try:
            x, y = self.batch_transform(x, y)  # type: ignore[misc]  # called where there is one
        except (RuntimeError, TypeError) as error:
            if x.is_floating_point():
                raise
            raise DataError(
                f"batch_transform failed with inputs of {x.dtype}: {error}. It may expect floats, which transform="
                "v2.ToDtype(torch.float32, scale=True) makes of them"
            ) from error
        return x, y

    def _meta(self, n: int, rows: Tensor, classes: Tensor | None, seeds: Tensor) -> list[dict[str, Any]]:
        common = {"plugin": name_of(self.gen), "checkpoint": self.gen.checkpoint_id}
        made = Provenance(seeds, {"condition": (self.gen.spec.labels, classes)}, common)
        meta: list[dict[str, Any]] = [
            {"synthetic": False, "plugin": "", "checkpoint": "", "seed": -1, "condition": ""} for _ in range(n)
        ]
        for row, origin in zip(rows.tolist(), made, strict=True):
            meta[row] = origin
        return meta


def _rank() -> int:
    return (ranks() or (0, 1))[0]


def _used_on_current_stream(batch: Any) -> None:
    """Keep the allocator from handing out memory of the side stream while this one still reads it."""
    for part in (
        batch.values() if isinstance(batch, Mapping) else batch if isinstance(batch, (list, tuple)) else [batch]
    ):
        if isinstance(part, Tensor) and part.is_cuda:
            part.record_stream(torch.cuda.current_stream(part.device))
