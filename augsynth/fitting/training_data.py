"""The real samples that a generator is fitted on, read once and checked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from augsynth._progress import progress_bar
from augsynth.errors import DataError
from augsynth.fitting.mapped_rows import RowFile, Rows
from augsynth.generator.authored import TrainingBatch
from augsynth.labels.finding import class_names
from augsynth.labels.kinds import plain_target, targets_of
from augsynth.recognition import check_dataset, read_sample
from augsynth.sample_spec import SampleSpec
from augsynth.seeding import derive
from augsynth.structure import Fields, Structure
from augsynth.topic_spec import TopicSpec

_HASHED = 1024  # samples at once: a copy of all would take their memory a second time
_SHUFFLE, _BATCH, _SPLIT = 0x5FF1E, 0xBA7C4, 0x59117


@dataclass
class TrainingData:
    """All real samples, in the dataset's own dtype.

    Attributes:
        spec: the space of the samples, with classes and range.
        raw: n samples in the dataset's own dtype and range; in memory, or a tensor that lies in a file.
        classes: (n,) int64 class positions; of other targets what a generator sees, (n, d) float32; or None.
        fingerprint: sixteen hex digits that identify samples, labels and topics.
        topics: (n,) int64 topic positions, or None.
        mapped: whether ``raw`` lies in a file.
    """

    spec: Any
    raw: Any
    classes: Tensor | None
    fingerprint: str
    topics: Tensor | None = None
    mapped: bool = False
    _shuffled: tuple[tuple[int, int], Tensor] | None = field(default=None, init=False, repr=False, compare=False)

    @classmethod
    def read(
        cls,
        dataset: Any,
        *,
        fields: Fields | None = None,
        labelled: bool = True,
        modality: Any = None,
        show: bool = True,
        file: RowFile | None = None,
    ) -> TrainingData:
        """Read a map-style or finite iterable dataset once.

        Args:
            dataset: yields inputs, alone or with labels.
            fields: where input and label are, see :class:`Structure`.
            labelled: False ignores labels.
            modality: kind of data, where it cannot be told.
            show: show a progress bar.
            file: where to keep the samples; None for memory.

        Raises:
            DataError: empty, unreadable (names the sample), or samples that differ in size or type.
        """
        check_dataset(dataset)
        structure: Structure | None = None
        spec: SampleSpec | None = None
        raws: list[Any] | RowFile = [] if file is None else file
        labels: list[Any] = []
        example_label: Any = None
        total = len(dataset) if hasattr(dataset, "__len__") else None
        with progress_bar("reading data", total, show=show) as bar:
            for index, sample in enumerate(_samples(dataset)):
                try:
                    if structure is None or spec is None:
                        structure, spec = read_sample(sample, fields, modality, dataset)
                        example_label = structure.y_of(sample)
                    raw: Any = spec.to_raw(structure.x_of(sample))
                    if file is not None and not index:
                        file.expect(spec, raw, total)
                    raws.append(raw)
                    if labelled and structure.labelled:
                        labels.append(plain_target(structure.y_of(sample)))
                except DataError as error:
                    raise DataError(f"sample {index}{_source_of(dataset, index)}: {error}") from None
                bar.advance()
        if spec is None or structure is None:
            raise DataError("the dataset is empty: there is nothing to fit on")
        raw = spec.stacked(raws) if isinstance(raws, list) else raws.mapped()
        known, classes = None, None
        if labels:
            known = targets_of(example_label, labels, class_names(dataset, structure.y), structure.target)
            classes = known.conditions(known.indices(labels))
        spec = replace(spec.refined(raw), labels=known)
        digest = hashlib.sha256()
        for part in raw.split(_HASHED) if isinstance(raw, Tensor) else [raw]:
            digest.update(spec.raw_bytes(part))
        digest.update(repr(labels).encode())
        return cls(spec, raw, classes, digest.hexdigest()[:16], mapped=file is not None)

    def __len__(self) -> int:
        return len(self.raw)

    def model_x(self, indices: Tensor | slice = slice(None)) -> Any:
        """k samples as generators see them."""
        return self.spec.raw_to_model(self.raw[indices])

    def digests(self) -> list[bytes]:
        """One a sample, whatever its label; alike for samples that are the same to the last bit."""
        return [hashlib.sha256(one).digest() for one in self.spec.digestible(self.raw)]

    def subset(self, indices: Tensor) -> TrainingData:
        """Some of the samples, with the same spec."""
        return replace(
            self,
            raw=Rows.of(self.raw, indices) if self.mapped else self.raw[indices],
            classes=None if self.classes is None else self.classes[indices],
            topics=None if self.topics is None else self.topics[indices],
        )

    def by_topic(self, spec: TopicSpec, topics: Tensor) -> TrainingData:
        """The same samples, each with its topic: ``topics`` (n,) int64 positions in ``spec``."""
        counted = spec.counted(topics, self.classes, self.spec.num_classes)
        digest = hashlib.sha256(f"{self.fingerprint} {topics.tolist()}".encode())
        return replace(
            self, spec=replace(self.spec, topics=counted), topics=topics, fingerprint=digest.hexdigest()[:16]
        )

    def split(self, fraction: float, seed: int) -> tuple[TrainingData, TrainingData | None]:
        """Hold a share out at random; None for the second when the share holds no sample."""
        held = int(len(self) * fraction)
        if held == 0:
            return self, None
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(int(derive(seed, _SPLIT))))
        return self.subset(order[held:]), self.subset(order[:held])

    def batch(self, indices: Tensor, seeds: Tensor, step: int, progress: float, device: torch.device) -> TrainingBatch:
        """The samples at ``indices`` as one training batch on ``device``."""
        raw = self.raw[indices]
        x = self.spec.raw_to_model(self.spec.placed(raw, device))
        y = None if self.classes is None else self.classes[indices].to(device)
        topics = None if self.topics is None else self.topics[indices].to(device)
        return TrainingBatch(x, y, seeds.to(device), step, progress, topics)

    def indices_at(self, step: int, batch_size: int, seed: int) -> Tensor:
        """The samples of step ``step``: endless shuffled passes, cut into batches; a function of the arguments."""
        n, first = len(self), step * batch_size
        parts, wanted = [], batch_size
        while wanted:
            epoch, start = divmod(first, n)
            part = self._order(seed, epoch)[start : start + wanted]
            parts.append(part)
            wanted -= len(part)
            first += len(part)
        return torch.cat(parts)

    def _order(self, seed: int, epoch: int) -> Tensor:
        """(n,) the samples in the order of a pass; the last one is kept, as it takes longer than a step to draw where n
        is large."""
        if self._shuffled is None or self._shuffled[0] != (seed, epoch):
            generator = torch.Generator().manual_seed(int(derive(seed, _SHUFFLE, epoch)))
            self._shuffled = (seed, epoch), torch.randperm(len(self), generator=generator)
        return self._shuffled[1]

    def batch_at(
        self, step: int, batch_size: int, seed: int, progress: float, device: torch.device, part: slice = slice(None)
    ) -> TrainingBatch:
        """The training batch of step ``step``, or a part of it; a function of the step and the seed, whatever came
        before."""
        indices = self.indices_at(step, batch_size, seed)[part]
        return self.batch(indices, seeds_at(step, batch_size, seed)[part], step, progress, device)


class NoData(TrainingData):
    """Stands where the data were: steps get seeds and no samples."""

    def __len__(self) -> int:
        return 0

    def batch_at(
        self, step: int, batch_size: int, seed: int, progress: float, device: torch.device, part: slice = slice(None)
    ) -> TrainingBatch:
        return TrainingBatch(None, None, seeds_at(step, batch_size, seed)[part].to(device), step, progress)


def seeds_at(step: int, n: int, seed: int) -> Tensor:
    """(n,) seeds of the samples of a step, whoever they are."""
    return derive(seed, _BATCH, step, torch.arange(n))


def _samples(dataset: Any) -> Iterator[Any]:
    if not (hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__")):
        if not hasattr(dataset, "__iter__"):
            raise DataError(
                f"a dataset of type {type(dataset).__name__}: expected something with len() and [], or iterable"
            )
        yield from dataset
        return
    for index in range(len(dataset)):
        try:
            sample = dataset[index]
        except Exception as error:
            raise DataError(
                f"sample {index}{_source_of(dataset, index)} cannot be read: {type(error).__name__}: {error}"
            ) from error
        yield sample


def _source_of(dataset: Any, index: int) -> str:
    """The file of a sample, for datasets that keep a list of them."""
    samples = getattr(dataset, "samples", None)
    if isinstance(samples, list) and index < len(samples) and isinstance(samples[index], tuple):
        return f" ({samples[index][0]})"
    return ""
