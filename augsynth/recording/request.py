"""What a recording is to hold, and how each part of it is made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from augsynth._filtering import Filter, accepted
from augsynth._names import name_of
from augsynth._numbers import check_whole
from augsynth._version import __version__
from augsynth.errors import CapabilityError, ConfigError
from augsynth.generator.generator import Generator
from augsynth.recording.columns import arrow, parquet_of
from augsynth.recording.manifest import Manifest, begun
from augsynth.recording.storage import Storage
from augsynth.recording.tar import tar_of
from augsynth.seeding import check_seed, derive

FORMATS = {"parquet": (parquet_of, "parquet"), "webdataset": (tar_of, "tar")}  # how a part is written, and its suffix


@dataclass(frozen=True)
class Request:
    """Sample i of it, and so each part, follows from it, the generator, and i alone.

    Attributes:
        n: samples to ask for.
        shard_size: samples a part.
        seed: everything random follows it.
        labels, topics: one for all, or a sequence of n, as of :meth:`Generator.sample`.
        filters: of batches; what one rejects is left out.
        options: of sampling.
        format: one of :data:`FORMATS`.

    Raises:
        ConfigError: one of them cannot be used.
    """

    n: int
    shard_size: int
    seed: int
    labels: Any
    topics: Any
    filters: Sequence[Filter]
    options: Mapping[str, Any]
    format: str = "parquet"

    def __post_init__(self) -> None:
        check_whole(n=self.n, shard_size=self.shard_size)
        if self.format not in FORMATS:
            raise ConfigError(f"format={self.format!r}: expected one of {', '.join(map(repr, FORMATS))}")
        check_seed(self.seed)

    def check(self, gen: Generator) -> None:
        """Raise CapabilityError or ConfigError where ``gen`` cannot make it."""
        spec = gen._fitted_spec()
        if spec.labels is not None and not spec.labels.categorical:
            raise CapabilityError(
                f"samples are replayed by class, and those of {name_of(gen)} have targets of kind {spec.labels.kind!r}"
            )
        for name, value, known in (("labels", self.labels, spec.labels), ("topics", self.topics, spec.topics)):
            if _several(value, known) and len(value) != self.n:
                raise ConfigError(f"{name} has {len(value)} entries for n={self.n} samples")

    def settings(self, gen: Generator) -> dict[str, Any]:
        """All that the samples follow from, as plain data."""
        told = {
            "n": self.n,
            "seed": check_seed(self.seed),
            "shard_size": self.shard_size,
            "generator": gen.checkpoint_id,
            "labels": _plain(self.labels),
            "topics": _plain(self.topics),
            "filters": [_named(one) for one in self.filters],
            "options": _plain(dict(self.options)),
        }
        return told if self.format == "parquet" else {**told, "format": self.format}

    @property
    def parts(self) -> int:
        """Number of them."""
        return -(-self.n // self.shard_size)

    def file(self, index: int) -> str:
        """Name of a part; the parts stand in the order of their names."""
        digits = max(5, len(str(self.parts - 1)))
        return f"part-{index:0{digits}d}.{FORMATS[self.format][1]}"

    def made(self, gen: Generator, index: int) -> tuple[bytes, dict[str, Any]]:
        """A part as bytes, and what the manifest says of it."""
        start = index * self.shard_size
        rows = torch.arange(start, min(start + self.shard_size, self.n))
        spec = gen._fitted_spec()
        part: dict[str, Any] = {}
        for name, value, known in (("labels", self.labels, spec.labels), ("topics", self.topics, spec.topics)):
            if value is not None:
                several = _several(value, known)
                part[name] = value[start : start + len(rows)] if several else [value] * len(rows)
        batch = gen.sample(seeds=derive(self.seed, rows), **part, **self.options)
        kept = accepted(self.filters, batch)
        data = FORMATS[self.format][0](spec, batch, kept.nonzero().flatten().tolist(), start)
        told = {"file": self.file(index), "rows": int(kept.sum()), "asked": len(rows)}
        return data, {**told, "sha256": hashlib.sha256(data).hexdigest()}


def opened(
    gen: Generator, request: Request, out: str | Path, licence: str | None
) -> tuple[Storage, Manifest, list[int]]:
    """Where it is written, what is there already, and which parts are missing.

    Raises:
        ConfigError, CapabilityError: ``gen`` cannot make it, or there is something else, or cannot be written.
        CheckpointError: what is there is damaged.
        MissingDependencyError: it takes pyarrow, which is not installed.
    """
    request.check(gen)
    if request.format == "parquet":
        arrow()
    storage = Storage(out)
    manifest = begun(storage, request.settings(gen), gen._fitted_spec().to_json(), _source_of(gen, licence))
    there = {shard["file"] for shard in manifest.shards}
    return storage, manifest, [i for i in range(request.parts) if request.file(i) not in there]


def _source_of(gen: Generator, licence: str | None) -> dict[str, Any]:
    """Where samples come from, as the manifest says it."""
    return {
        "plugin": name_of(gen),
        "plugin_version": gen.plugin_version,
        "checkpoint": gen.checkpoint_id,
        "fitted on": {key: gen.fit_info.get(key) for key in ("samples", "data_fingerprint", "prompts")},
        "augsynth": __version__,
        "licence": licence,
    }


def _plain(value: Any) -> Any:
    """``value`` as what JSON holds, or its repr."""
    try:
        return json.loads(json.dumps(value.tolist() if hasattr(value, "tolist") else value))
    except TypeError:
        return repr(value)


def _several(value: Any, known: Any) -> bool:
    """Whether it is a sequence of labels or topics, not one of them."""
    if value is None:
        return False
    return bool(known.several(value)) if hasattr(known, "several") else isinstance(value, (list, tuple))


def _named(judge: Any) -> str:
    own = getattr(judge, "__qualname__", type(judge).__qualname__)
    settings = {
        key: _plain(value) for key, value in sorted(getattr(judge, "__dict__", {}).items()) if _plain_data(value)
    }
    return f"{own}({json.dumps(settings, sort_keys=True)})"


def _plain_data(value: Any) -> bool:
    return isinstance(value, (bool, int, float, str)) or value is None
