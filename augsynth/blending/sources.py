"""Several sources of synthetic samples in one blend, each with its share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from augsynth._one_or_many import is_one, number_asked
from augsynth.batch import SampleBatch
from augsynth.blending.ratio import Ratio, checked_share
from augsynth.errors import ConfigError, NotFittedError, SpecMismatchError
from augsynth.seeding import seeds_for, uniform

_WHICH = 0x50C5


class Sources:
    """Sources as one: which of them a sample comes from follows from its seed, and its label where shares go by label.

    Args:
        given: name → source and share of the epoch, a number in [0, 1] or a mapping label → number.

    Attributes:
        ratio: the sum of the shares: a number, or a mapping label → number.

    Raises:
        ConfigError: not of that form, shares that add up to more than 1, or a source that holds no sample of a label
            that it has a share of.
        SpecMismatchError: the samples of two sources, or their labels, are of different form.
        NotFittedError: one of them is not fitted.
    """

    capabilities: frozenset[str] = frozenset()

    def __init__(self, given: Mapping[str, tuple[Any, Any]]) -> None:
        for name, entry in given.items():
            if not isinstance(entry, (tuple, list)) or len(entry) != 2:
                raise ConfigError(f"sources[{name!r}] is a {type(entry).__name__}: expected (source, share)")
        if not given:
            raise ConfigError("sources={}: expected name → (source, share), at least one")
        self.names = list(given)
        self.parts: list[Any] = [source for source, _ in given.values()]
        unfitted = [n for n, one in zip(self.names, self.parts, strict=True) if getattr(one, "spec", None) is None]
        if unfitted:
            raise NotFittedError(
                f"the source {unfitted[0]!r} is not fitted: use augsynth.fit(...) or augsynth.load(...)"
            )
        self.spec: Any = self.parts[0].spec
        for name, one in zip(self.names, self.parts, strict=True):
            self._check_alike(name, one)
        self._shares = self._by_class([share for _, share in given.values()])  # (classes, sources)
        total = self._shares.sum(1)
        if float(total.max()) > 1.0 + 1e-9:
            raise ConfigError(
                f"the shares of {', '.join(self.names)} add up to {float(total.max()):g}: expected at most 1"
            )
        self.ratio: Any = min(float(total[0]), 1.0)
        labels = self.spec.classes
        if any(isinstance(share, Mapping) for _, share in given.values()):
            self.ratio = {label: min(float(share), 1.0) for label, share in zip(labels.values, total, strict=True)}
        # of a class that nobody has a share of, and that is asked for all the same, each makes as of all
        weights = torch.where(total[:, None] > 0, self._shares, self._shares.sum(0))
        self._edges = weights.cumsum(1) / weights.sum(1, keepdim=True).clamp(min=1e-12)
        self._check_present()

    # ------------------------------------------------------------------ what a blend asks of a source

    @property
    def conditional(self) -> bool:
        """Whether samples can be requested by label."""
        return bool(self.parts[0].conditional)

    @property
    def device(self) -> torch.device:
        """Where a source is that is on a GPU, else the CPU."""
        found = [getattr(one, "device", torch.device("cpu")) for one in self.parts]
        return next((one for one in found if one.type == "cuda"), torch.device("cpu"))

    @property
    def costly(self) -> bool:
        """Whether one of them is."""
        return any(getattr(one, "costly", False) for one in self.parts)

    @property
    def plugin(self) -> str:
        """The names, for messages."""
        return " + ".join(self.names)

    @property
    def checkpoint_id(self) -> str:
        """Those of all."""
        return "+".join(str(getattr(one, "checkpoint_id", "")) for one in self.parts)

    def set_epoch(self, epoch: int) -> None:
        """Hand the epoch on to those that have one, such as pools."""
        for one in self.parts:
            if hasattr(one, "set_epoch"):
                one.set_epoch(epoch)

    def sample(
        self,
        n: int | None = None,
        *,
        labels: Any = None,
        seed: int | None = None,
        seeds: Tensor | Sequence[int] | None = None,
        **options: Any,
    ) -> SampleBatch:
        """Samples, each of the source that its seed chooses; arguments as of :meth:`Generator.sample`."""
        n = number_asked(n, labels, seeds)
        row_seeds = seeds_for(n, seed=seed, seeds=seeds)
        which = self._chosen(labels, row_seeds)
        # a pool is asked for nothing that is set already
        options = {k: v for k, v in options.items() if (k, v) not in (("temperature", 1.0), ("truncation", None))}
        made, rows = [], []
        for i in which.unique().tolist():
            own = (which == i).nonzero().flatten()
            wanted = labels if labels is None or is_one(labels) else [labels[j] for j in own.tolist()]
            part = {k: v[own] if isinstance(v, Tensor) and v.shape[:1] == (n,) else v for k, v in options.items()}
            made.append(self.parts[i].sample(labels=wanted, seeds=row_seeds[own], **part))
            rows.append(own)
        return _merged(self.spec, made, torch.cat(rows).argsort())

    def __repr__(self) -> str:
        return f"Sources({', '.join(self.names)})"

    # ------------------------------------------------------------------ private

    def _chosen(self, labels: Any, seeds: Tensor) -> Tensor:
        """(n,) which source each sample comes from."""
        u = uniform(seeds, stream=_WHICH).double()
        known = self.spec.classes
        if len(self._edges) == 1:
            edges = self._edges.expand(len(seeds), -1)
        elif labels is None:
            edges = (self._shares.sum(0).cumsum(0) / self._shares.sum()).expand(len(seeds), -1)
        else:
            edges = self._edges[known.requested(labels, len(seeds))]
        return (u[:, None] >= edges).sum(1).clamp(max=len(self.parts) - 1)

    def _by_class(self, shares: Sequence[Any]) -> Tensor:
        labels = self.spec.classes
        if not any(isinstance(share, Mapping) for share in shares):
            return torch.tensor(
                [[checked_share(f"share of {n!r}", s) for n, s in zip(self.names, shares, strict=True)]],
                dtype=torch.float64,
            )
        if labels is None:
            raise ConfigError("a share goes by label, and the sources know no classes; pass numbers")
        table = torch.zeros(len(labels), len(shares), dtype=torch.float64)
        for i, (name, share) in enumerate(zip(self.names, shares, strict=True)):
            if not isinstance(share, Mapping):
                table[:, i] = checked_share(f"share of {name!r}", share)
                continue
            for label, value in share.items():
                table[labels.index(label), i] = checked_share(f"share of {name!r} of {label!r}", value)
        return table

    def _check_alike(self, name: str, one: Any) -> None:
        first = self.names[0]
        if differences := one.spec.differences(self.spec):
            raise SpecMismatchError(
                f"the samples of the source {name!r} are not like those of {first!r}: {'; '.join(differences)}"
            )
        known, own = self.spec.labels, one.spec.labels
        alike = (known is None) == (own is None) and bool(one.conditional) == self.conditional
        if alike and known is not None and known.categorical:
            alike = own.categorical and own.values == known.values
        if not alike:
            told = [f"{n!r}: {'none' if s is None else s.described}" for n, s in ((first, known), (name, own))]
            raise SpecMismatchError(
                f"the labels of two sources differ: {'; '.join(told)}; fit both on the same classes"
            )

    def _check_present(self) -> None:
        for i, (name, one) in enumerate(zip(self.names, self.parts, strict=True)):
            labels = one.spec.classes
            if labels is None:
                continue
            share = self._shares[:, i].expand(len(labels)) if len(self._shares) == 1 else self._shares[:, i]
            for c, count in enumerate(labels.counts):
                if count == 0 and float(share[c]) > 0:
                    raise ConfigError(
                        f"the source {name!r} holds no sample of class {labels.display(c)!r}: give it shares by label, "
                        "{label: share, ...}, without that one"
                    )


class _Merged(Sequence[dict[str, Any]]):
    """Provenance of samples of several batches, made when it is asked for."""

    def __init__(self, parts: list[Any], order: Tensor) -> None:
        self.parts, self.order = parts, order.tolist()
        self.starts = np.cumsum([0, *(len(one) for one in parts)])

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        at = self.order[index]
        part = int(np.searchsorted(self.starts, at, side="right")) - 1
        return self.parts[part][at - int(self.starts[part])]


def _merged(spec: Any, made: list[SampleBatch], order: Tensor) -> SampleBatch:
    """Batches as one, in another order."""
    if len(made) == 1:
        return made[0]

    def of(values: list[Any]) -> Any:
        if isinstance(values[0], Tensor):
            return torch.cat([one.cpu() for one in values])[order]
        if isinstance(values[0], np.ndarray):
            return np.concatenate(values)[order.numpy()]
        flat = [one for part in values for one in part]
        return [flat[i] for i in order.tolist()]

    def optional(name: str) -> Any:
        values = [getattr(one, name) for one in made]
        return None if any(one is None for one in values) else of(values)

    model_x = spec.joined([spec.placed(one.model_x, "cpu") for one in made])[order]
    meta = _Merged([one.meta for one in made], order)
    return SampleBatch(
        of([one.x for one in made]), optional("y"), meta, model_x, optional("classes"), optional("topics")
    )


def several(source: Any, ratio: Ratio | None) -> tuple[Any, Ratio]:
    """The source of a blend and its ratio, where several sources may be given with their shares.

    Raises:
        ConfigError: a ratio beside shares, or neither; or no source, but its name.
    """
    if isinstance(source, str):
        raise ConfigError(f"source={source!r} is a name: fit it first, augsynth.fit({source!r}, real)")
    if isinstance(source, (list, tuple)):
        raise ConfigError(f"source is a {type(source).__name__}: several are given with shares, {{name: (gen, share)}}")
    if not isinstance(source, Mapping):
        if ratio is None:
            raise ConfigError("ratio is missing: what share of an epoch is to be synthetic, such as ratio=0.3?")
        return source, ratio
    if ratio is not None:
        raise ConfigError(f"ratio={ratio!r}: several sources have shares of their own; leave it out")
    made = Sources(source)
    return made, made.ratio
