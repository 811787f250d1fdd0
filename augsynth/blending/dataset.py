"""The map-style dataset that blends synthetic samples with real ones."""

from __future__ import annotations

import copy
import logging
import operator
import warnings
from collections.abc import Callable, Mapping, MutableSequence, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from augsynth._filtering import Filter
from augsynth._names import name_of
from augsynth._rng_guard import preserved_rng
from augsynth.blending.compatibility import check_alike, check_source, warn_of_cost
from augsynth.blending.condition import Condition, check_condition, split_condition
from augsynth.blending.making import Making
from augsynth.blending.plan import MODES, Decision, EpochPlan
from augsynth.blending.ratio import Ratio, checked_share
from augsynth.blending.real_data import (
    Repeated,
    check_map_style,
    has_transform,
    inspect,
    is_blend,
    nested_targets,
    set_inner_epoch,
)
from augsynth.blending.shared_state import SharedState
from augsynth.blending.source import Filters, LabelledSource
from augsynth.blending.sources import several
from augsynth.blending.strength import ByClass, table_of
from augsynth.errors import CapabilityError, ConfigError, EpochWarning
from augsynth.labels.kinds import Plain
from augsynth.pool.sample_pool import SamplePool
from augsynth.seeding import check_seed, derive
from augsynth.structure import Fields
from augsynth.transforms.seeded import check_transform

log = logging.getLogger("augsynth")

_POOL = 0x900
_DEFAULTS = {"temperature": 1.0, "truncation": None}
_LARGEST_POOL = 65_536  # samples; more are served more than once in an epoch


class SyntheticDataset(Making, Dataset[Any]):
    """A dataset in which a share of the samples is generated, while they are being loaded.

    It is a map-style dataset like the real one, and works wherever that does: under any sampler, ``Subset``,
    ``ConcatDataset``, ``DistributedSampler``, in DataLoaders with any number of workers, forked or spawned,
    persistent or not. A batch costs one forward pass of the generator.

    Args:
        real: the real dataset, map-style; may itself be a :class:`SyntheticDataset`.
        source: a fitted generator (or another source) whose samples have the form of the real ones; or several with
            their shares, ``{"gan": (gan, 0.2), "vae": (vae, {"rare": 0.5})}``; None with a ratio of 0.
        ratio: share of the epoch that is synthetic, in [0, 1]: a number; a mapping label → number, where classes not
            named get 0; or a schedule, called with the epoch. Left out where sources have shares of their own.
        condition: label of a synthetic sample: ``"match"``, that of the sample it replaces; ``"balance"``, the rare
            classes, filled up to a common level; a mapping label → weight; a callable ``(labels, u)`` of the replaced
            labels and as many uniform numbers; None, the generator's choice. Topics of a generator that was fitted
            by topic: a name, an id or free words, a list of these, or a mapping topic → weight; the label stays that
            of the replaced sample.
        mode: ``"replace"`` keeps the length, and does not load the real sample that is replaced; ``"append"`` keeps
            every real sample and lengthens the epoch until the ratio is reached; ``"vary"`` returns a variation of
            the real sample (the generator must have the capability ``vary``).
        transform: applied to the input of every sample; a callable, or a list. Also understood as they are:
            albumentations, torchvision v2, Kornia and nlpaug.
        real_transform, synthetic_transform: applied to one kind only, before ``transform``.
        filters: judge generated samples batch by batch, one or several; what they reject is drawn again.
        seed: with an integer, sample i of epoch e is a function of (seed, e, i) alone, not of workers, batches, order
            or resumption. With None it follows torch's RNG.
        provenance: add where each sample came from, as the field ``meta``.
        fields: where input and label are in a sample: ``{"x": key, "y": key}``.
        fill: values of further fields in synthetic samples.
        soft_labels: give every sample probabilities (classes,) float32 in place of its label: of a synthetic one, what
            this says, a callable inputs → (n, classes) such as ``Judge(real).probabilities_of``; of a real one, all on
            its label. Classes are in the order of :attr:`classes`.
        seed_real: whether reading a real sample is seeded, too, for datasets with random transforms of their own.
            ``"auto"``: if the dataset has a ``transform``.
        temperature, truncation, sample_options: of sampling, see :meth:`Generator.sample`; the options are those of
            the generator, such as ``{"top_p": 0.9}``.
        strength, vary_options: of variation, see :meth:`Generator.vary`; a mapping label → strength goes by class, with
            1 for labels that it does not name.
        variations: how many of each real sample there are, made once and kept in memory that workers share (see
            :meth:`make_ahead`), for generators slower than the training; None makes a new one each time.
        progress: show a progress bar if labels must be read sample by sample.

    Raises:
        ConfigError, UnknownLabelError: an argument cannot be used.
        SpecMismatchError: the generator's samples are not like the real ones.
        DataError: the dataset is empty, or of a form not understood.
        CapabilityError: ``mode="vary"`` with a generator that cannot.

    Example:
        >>> blended = augsynth.SyntheticDataset(real, gen, ratio=0.3, seed=0)
        >>> loader = DataLoader(blended, batch_size=256, num_workers=4, shuffle=True)
        >>> for epoch in range(epochs):
        ...     blended.set_epoch(epoch)
        ...     for x, y in loader: ...
    """

    def __init__(
        self,
        real: Any,
        source: Any,
        *,
        ratio: Ratio | None = None,
        condition: Condition = "match",
        mode: str = "replace",
        transform: Any = None,
        real_transform: Any = None,
        synthetic_transform: Any = None,
        filters: Filter | Sequence[Filter] = (),
        seed: int | None = None,
        provenance: bool = False,
        fields: Fields | None = None,
        fill: Mapping[Any, Any] | None = None,
        soft_labels: Callable[[list[Any]], Any] | None = None,
        seed_real: bool | str = "auto",
        temperature: float = 1.0,
        truncation: float | None = None,
        sample_options: Mapping[str, Any] | None = None,
        strength: ByClass = 1.0,
        vary_options: Mapping[str, Any] | None = None,
        variations: int | None = None,
        progress: bool = True,
    ) -> None:
        check_map_style(real)
        source, ratio = several(source, ratio)
        if mode not in MODES:
            raise ConfigError(f"mode={mode!r}: expected one of {', '.join(map(repr, MODES))}")
        if mode == "vary" and "vary" not in getattr(source, "capabilities", ()):
            raise CapabilityError(f"mode='vary' needs a generator that can vary; {_name(source)} cannot")
        if seed_real not in (True, False, "auto"):
            raise ConfigError(f"seed_real={seed_real!r}: expected True, False or 'auto'")
        check_transform("transform", transform)
        check_transform("real_transform", real_transform)
        check_transform("synthetic_transform", synthetic_transform)
        for name in ("provenance", "soft_labels"):
            if is_blend(real) and getattr(real, name):
                raise ConfigError(f"the inner dataset has {name}=...; pass that to the outermost only")
        if soft_labels is not None and not callable(soft_labels):
            raise ConfigError(f"soft_labels={soft_labels!r}: expected a callable, inputs → (n, classes) probabilities")
        self.real, self.source, self.soft_labels = real, source, soft_labels
        self.ratio, self.condition, self.mode = ratio, condition, mode
        self.transform, self.real_transform, self.synthetic_transform = transform, real_transform, synthetic_transform
        self.seed = None if seed is None else check_seed(seed)
        self.provenance: bool = provenance
        self.strength, self.vary_options = strength, dict(vary_options or {})
        self._depth: int = real._depth + 1 if is_blend(real) else 0
        self._shared = SharedState()
        self._filters = Filters(filters, self._shared.count)
        self._plan: EpochPlan | None = None
        self._seeded_reading = self.seed is not None and (
            has_transform(real) if seed_real == "auto" else bool(seed_real)
        )
        warn_of_cost(source)
        with preserved_rng():  # looking at the data is not part of the run
            self._form, self._classes, raw = inspect(real, source, fields, fill or {}, progress)
            if soft_labels is not None and (self._form.labels is None or not self._form.labels.categorical):
                raise ConfigError("soft_labels needs data whose targets are classes")
            known = getattr(getattr(source, "spec", None), "topics", None)
            self._label_condition, topics = split_condition(condition, self._form.labels, known)
            if topics is not None and mode == "vary":
                raise ConfigError(f"condition={condition!r}: mode='vary' keeps to the real sample and takes no topics")
            check_condition(self._label_condition, self._form.labels)
            self._strengths = table_of(strength, self._form.labels)
            settings = {"temperature": temperature, "truncation": truncation, **(sample_options or {})}
            if source is not None or callable(ratio) or not self._epoch_plan().all_real:
                chooses = self._label_condition is None and mode != "vary"
                check_source(getattr(source, "spec", None), self._form, raw, needed=self._needed(), chooses=chooses)
            self._kept = self._kept_variations(variations)
            probe, own = (source.generator, source.sampling) if isinstance(source, SamplePool) else (source, settings)
            self._labelled = LabelledSource(probe, own, self._filters)
            self._check_built()
            pool, self._how = self._chosen_pool(settings, topics)
            if pool is None:
                self._labelled = LabelledSource(source, settings, self._filters, topics)
            else:
                self._labelled = LabelledSource(pool, {}, self._filters)

    # ------------------------------------------------------------------ a dataset

    def __len__(self) -> int:
        return len(self._epoch_plan())

    def __getitem__(self, index: int) -> Any:
        (sample,) = self.__getitems__([operator.index(index)])
        return sample

    def __getitems__(self, indices: Sequence[int]) -> MutableSequence[Any]:
        """The samples at ``indices``, all synthetic ones from one forward pass: a list, or, over arrays, what behaves
        like one and is an array until somebody looks, see :func:`augsynth.collate`."""
        plan = self._epoch_plan()
        if self._plain and plan.all_real:
            samples = self._unchanged(indices, plan)
            self._shared.serve(len(samples))
            return samples
        if (stacked := self._stacked(indices, plan)) is not None:
            self._notice_repeated_epoch(len(stacked), len(plan))
            return stacked
        samples, meta = self._items(indices, plan, traced=self.provenance)
        self._notice_repeated_epoch(len(samples), len(plan))
        if meta is not None:
            return [self._form.structure.with_meta(s, m) for s, m in zip(samples, meta, strict=True)]
        return samples

    @property
    def targets(self) -> list[Plain]:
        """The labels of the current epoch, in its order.

        Raises:
            AttributeError: unlabelled, or the labels are not known before the samples are drawn.
        """
        labels = self._form.labels
        if labels is None or self._classes is None:
            raise AttributeError("the dataset is unlabelled: it has no targets")
        plan = self._epoch_plan()
        if self.mode != "append" and (self._label_condition == "match" or plan.all_real):
            return [labels.values[i] for i in self._classes.tolist()]
        if self.seed is None or self._label_condition is None:
            raise AttributeError(
                "targets are not known ahead: with seed=None or condition=None the labels of synthetic samples are "
                "drawn while loading; pass a seed and a condition"
            )
        decision = plan.decide(torch.arange(len(plan)))
        own = self._classes[torch.arange(len(plan)).clamp(max=plan.n - 1)]
        return [labels.values[i] for i in torch.where(decision.synthetic, decision.classes, own).tolist()]

    @property
    def classes(self) -> list[str]:
        """Names of the classes."""
        if self._form.labels is None:
            raise AttributeError("the dataset is unlabelled: it has no classes")
        return self._form.labels.displayed

    def set_epoch(self, epoch: int) -> None:
        """Go to ``epoch``: other positions become synthetic, and other samples are drawn. Reaches running workers."""
        self._go_to(epoch)
        set_inner_epoch(self.real, self.epoch)

    @property
    def ratio_scale(self) -> float:
        """What the ratio is multiplied with, 1 at first; setting it reaches running workers. :class:`UtilityGate`
        does."""
        return self._shared.scale

    @ratio_scale.setter
    def ratio_scale(self, scale: float) -> None:
        self._shared.scale = checked_share("ratio_scale", scale)

    def apart(self) -> SyntheticDataset:
        """The same dataset with an epoch, a scale and counters of its own: reading it leaves no trace in this one."""
        made = copy.copy(self)
        made._shared = SharedState()
        made._shared.epoch, made._shared.scale = self.epoch, self.ratio_scale
        made._shared.first_warning()  # it may be read as often as one likes
        made._plan = None
        return made

    def real_only(self) -> SyntheticDataset:
        """:meth:`apart` without synthetic samples; those that were appended fall on real ones."""
        made = self.apart()
        made.ratio_scale = 0.0
        if self.mode == "append":
            made.real, made.mode = Repeated(self.real, len(self)), "replace"
            made._classes = (
                None if self._classes is None else self._classes[torch.arange(len(self)) % len(self._classes)]
            )
        return made

    def state_dict(self) -> dict[str, Any]:
        """Where the dataset stands; with the loader's own state, all that exact resumption needs."""
        state: dict[str, Any] = {"epoch": self.epoch, "seed": self.seed, "ratio_scale": self.ratio_scale}
        if hasattr(self.real, "state_dict"):
            state["real"] = self.real.state_dict()
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go where ``state`` was taken.

        Raises:
            ConfigError: it was taken with another seed.
        """
        self._restore_epoch(state)
        self.ratio_scale = state.get("ratio_scale", 1.0)
        if "real" in state:
            self.real.load_state_dict(state["real"])

    def __repr__(self) -> str:
        return (
            f"SyntheticDataset({type(self.real).__name__} of {self._epoch_plan().n}, {_name(self.source)}, "
            f"ratio={self.ratio!r}, mode={self.mode!r}, condition={self.condition!r}, seed={self.seed}, "
            f"epoch={self.epoch}; {self._how})"
        )

    # ------------------------------------------------------------------ private

    def _chosen_pool(self, settings: dict[str, Any], topics: Tensor | None) -> tuple[SamplePool | None, str]:
        """The pool that synthetic samples are read from, or None to ask the source itself; and why."""
        source = self.source
        if source is None:
            return None, "no synthetic samples"
        if isinstance(source, SamplePool):
            if topics is not None or any(
                settings[key] != default for key, default in _DEFAULTS.items() if key in settings
            ):
                raise ConfigError("the samples of a pool are made already: pass topics, temperature, ... to SamplePool")
            return source, "samples from the pool"
        device = getattr(source, "device", torch.device("cpu"))
        if self._kept is not None:
            return None, f"{self._kept.each} variations of each real sample, made once, on {device}"
        if device.type != "cuda" or self.mode == "vary":
            return None, f"samples made in batches by the worker that needs them, on {device}"
        # CUDA cannot be used in forked workers, and one context a worker would fill the device
        plan = self._epoch_plan()
        size = min(max(plan.expected, 1), _LARGEST_POOL)
        seed = int(torch.randint(2**62, ())) if self.seed is None else int(derive(self.seed, _POOL))
        about = None if topics is None else {i: share for i, share in enumerate(topics.tolist()) if share > 0}
        pool = SamplePool(source, size, labels=plan.expected_labels, topics=about, seed=seed, start=False, **settings)
        how = f"samples from a pool of {size}, as the generator is on {device}"
        log.info("%s: %s", type(self).__name__, how)
        return pool, how

    def _epoch_plan(self) -> EpochPlan:
        epoch = self._shared.epoch
        scale = self._shared.scale
        plan = self._plan
        if plan is None or plan.epoch != epoch or plan.scale != scale:
            if plan is not None and is_blend(self.real) and self._form.labels is not None:
                self._classes = self._form.labels.indices(nested_targets(self.real))  # they may differ by epoch
            plan = self._plan = EpochPlan(
                len(self.real),
                self._classes,
                self._form.labels,
                ratio=self.ratio,
                condition=self._label_condition,
                mode=self.mode,
                seed=self.seed,
                epoch=epoch,
                scale=scale,
                depth=self._depth,
            )
        return plan

    def _needed(self) -> dict[int, str]:
        """The classes that may be requested in this epoch."""
        labels, plan = self._form.labels, self._epoch_plan()
        own = self.mode == "vary" and not getattr(self.source, "conditional", True)  # each keeps its label
        if labels is None or self._label_condition is None or own or (plan.all_real and not callable(self.ratio)):
            return {}
        if plan.weights is not None:
            wanted = plan.weights > 0
        elif isinstance(plan.ratio, Tensor) and not callable(self._label_condition) and not callable(self.ratio):
            wanted = plan.ratio > 0
        else:
            wanted = torch.ones(len(labels), dtype=torch.bool)
        return {i: labels.display(i) for i in wanted.nonzero().flatten().tolist()}

    def _check_built(self) -> None:
        """Make one real and one synthetic sample, and compare them as the transforms leave them."""
        if self._epoch_plan().all_real and not callable(self.ratio):
            return
        one = torch.zeros(1, dtype=torch.int64)  # position 0, and any seed
        wanted = -one - 1 if self._label_condition is None or self._form.labels is None else self._first_class()
        sources = one if self.mode == "vary" else -one - 1
        real: list[Any] = [None]
        synthetic: list[Any] = [None]
        self._put_real(Decision(one > 0, one, wanted, one), real, None)
        self._put_synthetic(Decision(one == 0, sources, wanted, one), synthetic, None)
        self._shared.reset_counters()
        structure = self._form.structure
        spec, x, made = self._form.spec, structure.x_of(real[0]), structure.x_of(synthetic[0])
        if spec is None or not spec.interchangeable(x, made):
            check_alike(x, made, "the input", ragged=spec is not None and not spec.tensors)
        check_alike(structure.y_of(real[0]), structure.y_of(synthetic[0]), "the label")

    def _first_class(self) -> Tensor:
        return torch.tensor((list(self._needed()) or [0])[:1])

    def _notice_repeated_epoch(self, n: int, length: int) -> None:
        served = self._shared.serve(n)
        # half an epoch of slack for those who look at some samples first
        if self.seed is not None and served > 1.5 * length + 1 and self._shared.first_warning():
            warnings.warn(
                f"epoch {self.epoch} of a seeded SyntheticDataset is being read again: it has the same synthetic "
                "samples. Call set_epoch(epoch) before each epoch",
                EpochWarning,
                stacklevel=3,
            )


def _name(source: Any) -> str:
    return "no source" if source is None else name_of(source)
