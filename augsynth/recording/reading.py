"""Replay what was recorded, wherever a generator can stand."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from augsynth._parquet import record_batches
from augsynth.choosing import choose_by_seed
from augsynth.errors import CapabilityError, CheckpointError, ConfigError, DataError, FitWarning
from augsynth.generator.generator import Generator
from augsynth.labels.frequencies import by_class
from augsynth.loading import stored_spec
from augsynth.recording.columns import arrow, raws_of, tensor_of
from augsynth.recording.manifest import Manifest
from augsynth.recording.storage import Storage


class Recorded(Generator):
    """Recorded samples in the place of a generator: of :class:`SyntheticDataset`, :class:`SamplePool`,
    :class:`DeviceBlend`, :func:`evaluate` and :func:`uplift`.

    Each request takes one of the recorded samples of its label and topic, by its seed, with replacement. Provenance
    names the recording; :meth:`origin` tells which sample it was.

    Attributes:
        folder: of the recording: a path, or the URL that was given.
        source: the generator that was recorded.
        licence: of the samples, as it was given, or None.
    """

    conditions = frozenset({"label", "topic"})
    keeps_samples = True
    micro_batch: ClassVar[dict[str, int]] = {"cpu": 65_536}  # nothing is computed that would have to fit into a cache

    anchor: Tensor

    def build(self, spec: Any) -> None:
        """There is nothing to build, but for a tensor by which it has a device."""
        self.register_buffer("anchor", torch.zeros(1, dtype=torch.int64))

    def use(self, folder: Path | str, manifest: Manifest, table: Any) -> None:
        """Take the samples of ``table``."""
        self.folder, self.source, self.licence = folder, manifest.source, manifest.source.get("licence")
        self._raw = raws_of(self.spec, table["x"])
        self._seeds = torch.tensor(table["seed"].to_pylist(), dtype=torch.int64)
        self._labels, self._topics = (
            tensor_of(table[name]) if name in table.column_names else None for name in ("position", "about")
        )
        self._check()
        self.spec = _counted(self.spec, self._labels, self._topics)
        digest = hashlib.sha256("".join(shard["sha256"] for shard in manifest.shards).encode()).hexdigest()
        self.plugin, self.checkpoint_id = f"recorded {manifest.source['plugin']}", digest[:12]
        self.plugin_version = manifest.source.get("plugin_version")
        self.fit_info = {"samples": len(self), "recorded": manifest.source, "history": [], "warnings": []}
        self._members: dict[tuple[bool, bool], tuple[Tensor, Tensor, Tensor]] = {}

    @property
    def device(self) -> torch.device:
        """Where samples are put."""
        return self.anchor.device  # found at once, where others look through their networks

    def _check(self) -> None:
        """Raise a ValueError where the columns are not samples of the spec."""
        slot = self.spec.raw_slot()
        found = (tuple(self._raw.shape[1:]), self._raw.dtype) if isinstance(self._raw, Tensor) else None
        if (slot is None) != (found is None) or (found is not None and found != slot):
            raise ValueError(f"samples are {found or 'a list'}, and the manifest says {slot or 'a list'}")
        known = ((self._labels, self.spec.labels), (self._topics, self.spec.topics))
        for positions, names in known:
            if positions is None:
                continue
            if names is None or not ((positions >= 0) & (positions < len(names))).all():
                raise ValueError("labels or topics are not those of the manifest")

    def __len__(self) -> int:
        return len(self._seeds)

    def draw(
        self,
        labels: Tensor | None,
        seeds: Tensor,
        *,
        temperature: float,
        truncation: float | None,
        topics: Tensor | None = None,
    ) -> Any:
        """
        Args:
            temperature, truncation: can no longer be changed.
        """
        if temperature != 1.0 or truncation is not None:
            raise ConfigError(
                f"temperature={temperature!r}, truncation={truncation!r}: the samples of {self.folder} are recorded "
                "already, and are as they are"
            )
        rows = self._rows(labels, topics, seeds)
        return self.spec.placed(self.spec.raw_to_model(self._raw[rows]), self.device)

    def origin(self, seeds: Any, labels: Any = None, topics: Any = None) -> list[dict[str, Any]]:
        """Where n samples of a request came from: plugin, checkpoint and seed of the generator that was recorded, and
        the row of the recording. ``labels`` and ``topics`` are positions, as in ``SampleBatch.classes``."""
        own = torch.as_tensor(seeds, dtype=torch.int64)
        wanted, about = (None if one is None else torch.as_tensor(one) for one in (labels, topics))
        source = {key: self.source.get(key) for key in ("plugin", "plugin_version", "checkpoint")}
        return [{**source, "seed": int(self._seeds[i]), "row": i} for i in self._rows(wanted, about, own).tolist()]

    def save(self, path: str | Path) -> Path:
        raise CapabilityError(f"what was recorded is in {self.folder} already: copy that folder")

    def _rows(self, labels: Tensor | None, topics: Tensor | None, seeds: Tensor) -> Tensor:
        label = None if self._labels is None else labels
        topic = None if self._topics is None else topics
        order, starts, counts = self._sorted(label is not None, topic is not None)
        group = self._groups(label, topic, len(seeds))
        there = counts[group]
        if missing := (there == 0).nonzero().flatten().tolist():
            asked = (("label", self.spec.labels, label), ("topic", self.spec.topics, topic))
            told = " and ".join(
                f"the {kind} {known.display(int(wanted[missing[0]]))!r}"
                for kind, known, wanted in asked
                if wanted is not None
            )
            raise ConfigError(f"{self.folder} holds no sample of {told}: record some, or ask for others")
        return order[starts[group] + choose_by_seed(seeds.cpu(), there)]

    def _groups(self, labels: Tensor | None, topics: Tensor | None, n: int) -> Tensor:
        """(n,) one number for each pair of a label and a topic, by position (n,); None for any."""
        group = torch.zeros(n, dtype=torch.int64)
        for own, known in ((labels, self.spec.labels), (topics, self.spec.topics)):
            if own is not None:
                group = group * len(known) + own.cpu()
        return group

    def _sorted(self, by_label: bool, by_topic: bool) -> tuple[Tensor, Tensor, Tensor]:
        """As :func:`by_class`, the rows by the groups of what is asked for."""
        if (by_label, by_topic) not in self._members:
            rows = self._groups(self._labels if by_label else None, self._topics if by_topic else None, len(self))
            labels, topics = len(self.spec.labels) if by_label else 1, len(self.spec.topics) if by_topic else 1
            self._members[by_label, by_topic] = by_class(rows, labels * topics)
        return self._members[by_label, by_topic]


def _counted(spec: Any, labels: Tensor | None, topics: Tensor | None) -> Any:
    """The spec with labels and topics as frequent as they are recorded, so that none is asked for that is not there."""
    if labels is not None:
        counts = torch.bincount(labels, minlength=len(spec.labels)).tolist()
        spec = replace(spec, labels=replace(spec.labels, counts=tuple(counts)))
    return spec if topics is None else replace(spec, topics=spec.topics.counted(topics, labels, spec.num_classes))


def _batches(storage: Storage, manifest: Manifest, shard: Mapping[str, Any]) -> Iterator[Any]:
    """The rows of a file that was checked already, or is while it is fetched."""
    purpose = "recorded samples"
    if storage.folder is not None:
        return record_batches(storage.folder / shard["file"], purpose=purpose)
    content = manifest.content(storage, shard)
    return record_batches(f"{storage.out}/{shard['file']}", purpose=purpose, content=content)


def recorded(path: str | Path) -> Recorded:
    """What :func:`record` or :func:`generate` wrote, as a generator.

    Args:
        path: the folder, or a URL that fsspec understands, such as ``s3://bucket/samples``. Its files are read into
            memory, once; ``simplecache::s3://bucket/samples`` keeps a copy of them here until the process ends.

    Raises:
        CheckpointError: there is none, or a file of it is missing, damaged, or another than was written.
        ConfigError: a URL of a kind that is not known here, or that cannot be reached.
        MissingDependencyError: the extra ``datasets`` is not installed.
    """
    storage = Storage(path, "path")
    folder: Path | str = storage.folder or storage.out
    manifest = Manifest.read(storage)
    if manifest.settings.get("format", "parquet") != "parquet":
        raise CheckpointError(
            f"{folder} was written as {manifest.settings['format']!r}, for other tools: what is to be replayed is "
            "written with format='parquet'"
        )
    if storage.folder is not None:
        manifest.check(storage.folder)
    if not manifest.rows:
        raise CheckpointError(f"{folder} holds no sample")
    if not manifest.complete:
        warnings.warn(
            f"{folder} holds {manifest.asked:,} of {manifest.settings.get('n'):,} samples that were asked for: the "
            "same call goes on",
            FitWarning,
            stacklevel=2,
        )
    pa = arrow()
    try:
        parts = [
            pa.Table.from_batches([batch]) for shard in manifest.shards for batch in _batches(storage, manifest, shard)
        ]
        # a shard of which nothing was kept does not know the types of its columns
        table = pa.concat_tables([part for part in parts if len(part)])
        made = Recorded()
        made.prepare(stored_spec(folder, manifest.spec))
        made.use(folder, manifest, table)
    except DataError as error:  # it unpacks to far more than its size
        raise CheckpointError(str(error)) from error
    except (pa.ArrowException, OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise CheckpointError(f"{folder} cannot be read: {error}") from error
    return made.eval()
