"""Which positions of an epoch are synthetic, and with what condition: a function of (seed, epoch, index) alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from augsynth.blending.condition import LabelCondition, balancing_weights, called, drawn, mapped_weights
from augsynth.blending.ratio import Ratio, resolve_ratio
from augsynth.errors import ConfigError
from augsynth.labels.frequencies import by_class
from augsynth.labels.kinds import Targets
from augsynth.seeding import derive, philox, uniform

_TABLE = 2**18  # positions; 32 bytes each
_PART = 2**16  # positions that a table is made of at once: on the way each takes several times as much
MODES = ("replace", "append", "vary")
_BLEND, _SOURCE = 0xB1E4D, 0x50CE


@dataclass(frozen=True)
class Decision:
    """What to do at n positions.

    Attributes:
        synthetic: (n,) bool.
        sources: (n,) int64 real sample to load: itself where real, what to vary in mode ``"vary"``; -1 for none.
        classes: (n,) int64 class wanted where synthetic, -1 where the generator may choose.
        seeds: (n,) int64 seed of each position, for noise and transforms.
    """

    synthetic: Tensor
    sources: Tensor
    classes: Tensor
    seeds: Tensor


class EpochPlan:
    """The blend of one epoch. Short epochs are tabulated, up to 1.6 MB; longer ones are computed as they are asked for,
    and keep no more than a number for each class, but for ``"vary"`` with another condition than ``"match"``, which
    sorts the real samples by class.

    Args:
        n: number of real samples.
        classes: (n,) class positions, or None when unlabelled.
        labels: the classes, or None.
        ratio, condition, mode: as of :class:`SyntheticDataset`.
        seed: None follows torch's RNG.
        epoch: number of the epoch.
        scale: what the ratio is multiplied with, in [0, 1].
        depth: nesting depth, so that nested blends with equal seeds choose independently.
    """

    def __init__(
        self,
        n: int,
        classes: Tensor | None,
        labels: Targets | None,
        *,
        ratio: Ratio,
        condition: LabelCondition,
        mode: str,
        seed: int | None,
        epoch: int,
        scale: float = 1.0,
        depth: int = 0,
    ) -> None:
        self.n, self.classes, self.labels = n, classes, labels
        self.condition, self.mode, self.epoch = condition, mode, epoch
        self._key = None if seed is None else derive(seed, _BLEND, depth)
        self.scale = scale
        self.ratio = resolve_ratio(ratio, epoch, labels) * scale
        self.extras = self._extras() if mode == "append" else None
        self.n_extra = 0 if self.extras is None else int(self.extras.sum())
        self.weights = self._weights()

    def __len__(self) -> int:
        return self.n + self.n_extra

    @cached_property
    def all_real(self) -> bool:
        """Whether the epoch has no synthetic sample."""
        return self.n_extra == 0 if self.mode == "append" else not bool(torch.as_tensor(self.ratio).any())

    @property
    def expected(self) -> int:
        """About how many synthetic samples the epoch has."""
        return round(float(self._by_label.sum()))

    @property
    def expected_labels(self) -> dict[Any, float] | None:
        """About how many of each label, where that can be told."""
        if self.labels is None or self.condition is None or callable(self.condition):
            return None
        shares = self._by_label if self.weights is None else self.weights
        return dict(zip(self.labels.values, shares.tolist(), strict=True)) if bool(shares.sum() > 0) else None

    @property
    def _by_label(self) -> Tensor:
        """(classes,) expected synthetic samples that replace one of each label, or (1,) without labels."""
        counts = torch.tensor([self.n] if self.labels is None else self.labels.counts, dtype=torch.float64)
        if self.extras is not None:
            return self.extras.double() if len(self.extras) == len(counts) else counts / self.n * self.n_extra
        return counts * self.ratio

    def decide(self, indices: Tensor, rows: Tensor | None = None) -> Decision:
        """What to do at the positions ``indices`` (n,) int64 in [0, len).

        For a stream, ``rows`` says where in the buffered ``classes`` the positions are.
        """
        if rows is None and self._tabulated:
            synthetic, sources, classes, seeds = self._table.index_select(0, indices).unbind(1)
            return Decision(synthetic.bool(), sources, classes, seeds)
        return self._decided(indices, rows)

    @property
    def _tabulated(self) -> bool:
        # A look-up costs a tenth of the computation. Bounded, so that no memory grows with the epoch; a callable is
        # asked about what is needed and no more.
        return self._key is not None and len(self) <= _TABLE and not callable(self.condition)

    @cached_property
    def _table(self) -> Tensor:
        """(n, 4) int64, a decision a row: one look-up in place of four."""
        table = torch.empty(len(self), 4, dtype=torch.int64)
        for rows in torch.arange(len(self)).split(_PART):
            some = self._decided(rows)
            columns = [some.synthetic.long(), some.sources, some.classes, some.seeds]
            torch.stack(columns, dim=1, out=table[rows[0] : rows[-1] + 1])
        return table

    def _decided(self, indices: Tensor, rows: Tensor | None = None) -> Decision:
        choice, u, seeds = self._draws(indices)
        known_at = indices.clamp(max=self.n - 1) if rows is None else rows
        own = self.classes[known_at] if self.classes is not None else None
        if self.mode == "append":
            synthetic = indices >= self.n
        elif isinstance(self.ratio, Tensor):
            synthetic = choice < self.ratio[own]
        else:
            synthetic = choice < self.ratio
        wanted = self._wanted(indices, own, u, synthetic)
        sources = torch.where(synthetic, -1, indices)
        if self.mode == "vary":
            sources = self._varied(indices, own, wanted, seeds, synthetic)
        return Decision(synthetic, sources, torch.where(synthetic, wanted, -1), seeds)

    def _draws(self, indices: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Two uniform numbers in [0, 1) and a seed for each position."""
        if self._key is None:
            words = torch.randint(2**32, (4, len(indices))).unbind(0)
        else:
            words = philox(self._key, (indices & 0xFFFFFFFF, indices >> 32, self.epoch & 0xFFFFFFFF, _BLEND))
        seeds = ((words[2] & 0x7FFFFFFF) << 32) | words[3]
        return words[0].double() * 2.0**-32, words[1].double() * 2.0**-32, seeds

    def _wanted(self, indices: Tensor, own: Tensor | None, u: Tensor, synthetic: Tensor) -> Tensor:
        if own is None or self.labels is None or self.condition is None:
            return torch.full_like(indices, -1)
        matched = own
        if self.extras is not None:
            beyond = (indices - self.n).clamp(min=0)
            if isinstance(self.ratio, Tensor):
                # appended samples stand class by class, in exact numbers
                matched = torch.searchsorted(self.extras.cumsum(0), beyond, right=True).clamp(max=len(self.labels) - 1)
            elif self.classes is not None:
                matched = self.classes[(u * self.n).long()]  # the class of a real sample drawn at random
        if self.weights is not None:
            return drawn(self.weights, u)
        if callable(self.condition):
            wanted = matched.clone()
            values = [self.labels.values[i] for i in matched[synthetic].tolist()]
            if values:
                wanted[synthetic] = called(self.condition, values, u[synthetic], self.labels)
            return wanted
        return matched

    def _varied(self, indices: Tensor, own: Tensor | None, wanted: Tensor, seeds: Tensor, synthetic: Tensor) -> Tensor:
        """Itself where the class is kept, else a real sample of the wanted class."""
        if own is None or self.condition in (None, "match"):
            return indices
        order, starts, counts = self._by_class
        position = (uniform(seeds, stream=_SOURCE).double() * counts[wanted]).long()
        return torch.where(synthetic, order[starts[wanted] + position], indices)

    @cached_property
    def _by_class(self) -> tuple[Tensor, Tensor, Tensor]:
        """Real samples sorted by class, where each class begins, and how many it has."""
        if self.classes is None or self.labels is None:
            raise ValueError("unlabelled data has no classes to draw from")
        return by_class(self.classes, len(self.labels))

    def _extras(self) -> Tensor:
        """Number of samples to append: (classes,) for a mapping, else (1,)."""
        ratio = torch.as_tensor(self.ratio, dtype=torch.float64)
        if (ratio >= 1.0).any():
            raise ConfigError(
                "ratio=1 with mode='append' would need endlessly many samples: the ratio is the synthetic share of the "
                "lengthened epoch; pass a number below 1"
            )
        real = torch.tensor(float(self.n), dtype=torch.float64)
        if ratio.ndim and self.labels is not None:
            real = torch.tensor(self.labels.counts, dtype=torch.float64)
        return (real * ratio / (1.0 - ratio)).round().long().reshape(-1)

    def _weights(self) -> Tensor | None:
        """(classes,) shares to draw the condition from, or None where it follows from the position."""
        if self.labels is None or self.condition is None or callable(self.condition) or self.condition == "match":
            return None
        if not isinstance(self.condition, str):
            return mapped_weights(self.condition, self.labels)
        counts = torch.tensor(self.labels.counts, dtype=torch.float64)
        if self.mode == "append":
            remaining, synthetic = counts, float(self.n_extra)
        else:
            remaining, synthetic = counts * (1.0 - self.ratio), float((counts * self.ratio).sum())
        return self.labels.spread(balancing_weights(self.labels.grouped(remaining), synthetic))
