"""The three sets that an evaluation compares: generated, training and held-out samples, alike in size and classes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from augsynth.errors import ConfigError, DataError
from augsynth.fitting.seen import fitted_on_others
from augsynth.fitting.training_data import TrainingData
from augsynth.labels.held_out import held_out_classes
from augsynth.seeding import derive

LEAST = 20
"""Samples of each set: below, no interval here says anything."""

_PICK, _DRAW = 0xE7A, 0xE7B


@dataclass(frozen=True)
class Samples:
    """n samples.

    Attributes:
        x: n samples as generators see them, on the CPU.
        classes: (n,) int64 positions among the classes of the training set, or None.
    """

    x: Any
    classes: Tensor | None

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: Any) -> Samples:
        rows = torch.as_tensor(rows)
        return Samples(self.x[rows], None if self.classes is None else self.classes[rows])

    @classmethod
    def of(cls, spec: Any, *parts: Samples) -> Samples:
        """Several sets as one; all with classes, or none."""
        classes = [one.classes for one in parts if one.classes is not None]
        return cls(spec.joined([one.x for one in parts]), torch.cat(classes) if len(classes) == len(parts) else None)


@dataclass(frozen=True)
class Sets:
    """What is compared.

    Attributes:
        made: generated samples (m).
        train: training samples (m), as many of each class.
        held: held-out samples (m), likewise.
        all_train: all training samples.
        data: the same with their spec.
        names: of the classes; ``["all"]`` without labels.
        warnings: what to know.
    """

    made: Samples
    train: Samples
    held: Samples
    all_train: Samples
    data: TrainingData
    names: list[str]
    warnings: list[str]

    @property
    def reference(self) -> Any:
        """Inputs of all three sets: what is fitted on these favours none."""
        return self.data.spec.joined([one.x for one in (self.made, self.train, self.held)])


def prepare(
    source: Any, real: Any, holdout: Any, *, n: int, seed: int, overlap: str, show: bool, sampling: dict[str, Any]
) -> Sets:
    """Read and check everything, and draw the generated samples.

    Raises:
        DataError: see :func:`augsynth.evaluate`.
    """
    modality = getattr(getattr(source, "spec", None), "modality", None) or None
    train, held = (TrainingData.read(one, modality=modality, show=show) for one in (real, holdout))
    if differences := train.spec.differences(held.spec):
        raise DataError(f"real and holdout differ in form: {'; '.join(differences)}")
    if (train.classes is None) != (held.classes is None):
        raise DataError("one of real and holdout has labels, and the other has none")
    held, warnings = _without_overlap(train, held, overlap)
    classes = train.spec.classes
    positions = None if classes is None else held_out_classes(train, held)
    all_train = Samples(train.model_x(), None if classes is None else train.classes)
    all_held = Samples(train.spec.raw_to_model(held.raw), positions)  # a range read off them is not theirs alone
    names = classes.displayed if classes is not None else ["all"]
    if classes is None and train.spec.labels is not None:
        warnings.append(
            f"The targets are of kind {train.spec.labels.kind!r}: whether samples carry them was not judged"
        )
    if (seen := fitted_on_others(source, train)) is not None:
        warnings.append(
            f"The generator was fitted on other samples (fingerprint {seen}) than real yields ({train.fingerprint}): "
            "copies of those are not seen, and held-out samples may be among them"
        )
    counts = _counts(all_train.classes, all_held.classes, len(all_train), len(all_held), len(names), n)
    if sum(counts) < LEAST:
        raise DataError(
            f"{sum(counts)} samples can be compared ({len(train)} for training, {len(held)} held out, as many of each "
            f"class): expected at least {LEAST}"
        )
    if sum(counts) < 200:
        warnings.append(
            f"Only {sum(counts)} samples of each set can be compared: distances are biased upwards, intervals are wide"
        )
    train_rows, held_rows = (
        _picked(one.classes, counts, len(one), int(derive(seed, _PICK, i)))
        for i, one in enumerate((all_train, all_held))
    )
    wanted = (
        None if all_train.classes is None else torch.repeat_interleave(torch.arange(len(names)), torch.tensor(counts))
    )
    made = drawn(source, train, wanted, sum(counts), int(derive(seed, _DRAW)), sampling)
    return Sets(made, all_train[train_rows], all_held[held_rows], all_train, train, names, warnings)


def _as_of(data: TrainingData, spec: Any, x: Any) -> Any:
    """Samples of a generator as those of ``data`` are seen: what was read off what it was fitted on, such as the range
    of the values, may be another."""
    forms = [replace(one, labels=None, topics=None) for one in (spec, data.spec)]
    if forms[0] != forms[1]:
        x = data.spec.raw_to_model(spec.model_to_raw(x))
    return data.spec.placed(x, "cpu")


def drawn(
    source: Any, data: TrainingData, wanted: Tensor | None, n: int, seed: int, sampling: dict[str, Any]
) -> Samples:
    """n generated samples, of the classes ``wanted``; from a generator, or from a dataset of samples made before."""
    labels = data.spec.classes
    if hasattr(source, "sample"):
        if differences := source.spec.differences(data.spec):
            raise DataError(f"the generator was fitted on other samples: {'; '.join(differences)}")
        if labels is None or not source.conditional:
            return Samples(_as_of(data, source.spec, source.sample(n, seed=seed, **sampling).model_x), None)
        batch = source.sample(labels=[labels.values[c] for c in wanted.tolist()], seed=seed, **sampling)  # type: ignore[union-attr]
        return Samples(_as_of(data, source.spec, batch.model_x), wanted)
    if sampling:
        raise ConfigError(f"{sorted(sampling)} are options of a generator; samples that were made before have none")
    made = TrainingData.read(source, labelled=labels is not None, modality=data.spec.modality, show=False)
    if differences := made.spec.differences(data.spec):
        raise DataError(f"the generated samples differ in form from the real ones: {'; '.join(differences)}")
    spec = replace(data.spec, labels=None)
    x = spec.raw_to_model(made.raw)
    if labels is None or wanted is None:
        if len(x) < n:
            raise DataError(f"{len(x)} generated samples: expected at least {n}, as many as are compared")
        return Samples(x[torch.arange(n)], None)
    if made.classes is None or made.spec.classes is None:
        raise DataError("the generated samples have no labels, and the real ones do")
    classes = labels.indices(made.spec.classes.values_of(made.classes))
    rows = []
    for c, count in enumerate(torch.bincount(wanted, minlength=len(labels)).tolist()):
        own = (classes == c).nonzero().flatten()
        if len(own) < count:
            raise DataError(
                f"{len(own)} generated samples of class {labels.display(c)!r}: expected at least {count}, as many as "
                "are compared; make more, or pass a smaller n="
            )
        rows.append(own[:count])
    return Samples(x[torch.cat(rows)], wanted)


def _without_overlap(train: TrainingData, held: TrainingData, overlap: str) -> tuple[TrainingData, list[str]]:
    if overlap not in ("error", "drop", "keep"):
        raise ConfigError(f"overlap={overlap!r}: expected 'error', 'drop' or 'keep'")
    known: dict[bytes, int] = {}
    for i, digest in enumerate(_digests(train)):
        known.setdefault(digest, i)
    pairs = [(known[d], i) for i, d in enumerate(_digests(held)) if d in known]
    if not pairs:
        return held, []
    told = f"{len(pairs)} of {len(held)} held-out samples are in the training data as well"
    if overlap == "error":
        raise DataError(
            f"{told}, such as {_sample_pair(pairs[0])}: every figure would flatter. Split anew, or pass overlap='drop' "
            "to leave them out; where different people have the same sample, as in rows of few values, overlap='keep'"
        )
    if overlap == "keep":
        return held, [f"{told}; they were kept, as samples that are equal by chance"]
    if len(pairs) == len(held):
        raise DataError(f"{told}: nothing is left to compare with")
    inside = {i for _, i in pairs}
    return held.subset(torch.tensor([i for i in range(len(held)) if i not in inside])), [f"{told}; they were left out"]


def _sample_pair(pair: tuple[int, int]) -> str:
    return f"sample {pair[0]} of real and sample {pair[1]} of holdout"


def _digests(data: TrainingData) -> list[bytes]:
    return [hashlib.blake2b(row, digest_size=16).digest() for row in data.spec.digestible(data.raw)]


def _counts(train: Tensor | None, held: Tensor | None, n_train: int, n_held: int, classes: int, n: int) -> list[int]:
    """How many of each class: what both sets have, at most n in all."""
    if train is None or held is None:
        return [min(n_train, n_held, n)]
    both = torch.minimum(torch.bincount(train, minlength=classes), torch.bincount(held, minlength=classes))
    # the largest bound on a class with which all fit
    bound = max((cap for cap in range(1, int(both.max()) + 1) if int(both.clamp(max=cap).sum()) <= n), default=1)
    both = both.clamp(max=bound)
    counts: list[int] = both.tolist()
    return counts


def _picked(classes: Tensor | None, counts: list[int], n: int, seed: int) -> Tensor:
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    if classes is None:
        return order[: counts[0]]
    return torch.cat([order[classes[order] == c][:count] for c, count in enumerate(counts)])
