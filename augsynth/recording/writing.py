"""Write samples once, in files that other tools read, too."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from augsynth._atomic import atomic_file
from augsynth._progress import progress_bar
from augsynth._version import __version__
from augsynth.checkpoint.format import file_digest
from augsynth.errors import CapabilityError, ConfigError
from augsynth.generator.generator import Generator
from augsynth.recording.columns import arrow, parquet, table_of
from augsynth.recording.manifest import MANIFEST, Manifest, differences
from augsynth.seeding import check_seed, derive


def record(
    gen: Generator,
    n: int,
    out: str | Path,
    *,
    labels: Any = None,
    topics: Any = None,
    filters: Sequence[Callable[[Any], Any]] = (),
    seed: int = 0,
    shard_size: int = 1000,
    licence: str | None = None,
    progress: bool = True,
    **options: Any,
) -> Path:
    """Sample once and keep the samples, with where they came from, for :func:`recorded` to replay: for a generator that
    is slow, costly, or will not be there again.

    The folder holds Parquet files of ``shard_size`` requests each (``datasets.load_dataset("parquet", data_files=...)``
    reads them, too) and ``recording.json``. Sample i follows from the seed and i alone. What was written stays when it
    is interrupted or the generator fails, and the same call goes on from there.

    Args:
        gen: a fitted generator.
        n: samples to ask for; with filters, fewer are kept.
        out: the folder.
        labels, topics: one for all, or a sequence of n, as of :meth:`Generator.sample`.
        filters: each takes a :class:`SampleBatch` and gives (n,) verdicts; what one rejects is left out.
        seed: everything random follows it.
        shard_size: requests a file; so many are lost at most.
        licence: of the samples, such as that of a pretrained model, for those who get the folder.
        progress: show a progress bar on a terminal.
        options: of sampling.

    Returns:
        The folder.

    Raises:
        ConfigError: an argument cannot be used, or the folder holds a recording of other settings (says which).
        CapabilityError: its targets are no classes.
        MissingDependencyError: the extra ``datasets`` is not installed.
    """
    for name, value in (("n", n), ("shard_size", shard_size)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ConfigError(f"{name}={value!r}: expected a whole number from 1 up")
    spec = gen._fitted_spec()
    if spec.labels is not None and not spec.labels.categorical:
        raise CapabilityError(
            f"samples are replayed by class, and those of {gen.plugin or type(gen).__name__} have targets of kind "
            f"{spec.labels.kind!r}"
        )
    asked = (("labels", labels, spec.labels), ("topics", topics, spec.topics))
    given = {name: _each(name, value, n, known) for name, value, known in asked}
    folder = Path(out)
    manifest = _begun(
        folder,
        {
            "n": n,
            "seed": check_seed(seed),
            "shard_size": shard_size,
            "generator": gen.checkpoint_id,
            "labels": _plain(labels),
            "topics": _plain(topics),
            "filters": [_named(one) for one in filters],
            "options": _plain(options),
        },
        spec,
        {
            "plugin": gen.plugin or type(gen).__name__,
            "plugin_version": gen.plugin_version,
            "checkpoint": gen.checkpoint_id,
            "fitted on": {key: gen.fit_info.get(key) for key in ("samples", "data_fingerprint", "prompts")},
            "augsynth": __version__,
            "licence": licence,
        },
    )
    writer = parquet()
    with progress_bar("recording", n, show=progress) as bar:
        while (start := manifest.asked) < n:
            rows = torch.arange(start, min(start + shard_size, n))
            part = {name: own[start : start + shard_size] for name, own in given.items() if own is not None}
            batch = gen.sample(seeds=derive(seed, rows), **part, **options)
            kept = torch.ones(len(batch), dtype=torch.bool)
            for judge in filters:
                kept &= torch.as_tensor(judge(batch)).bool().cpu()
            file = folder / f"part-{len(manifest.shards):05d}.parquet"
            with atomic_file(file) as draft:
                writer.write_table(table_of(spec, batch, kept.nonzero().flatten().tolist()), draft)
            manifest.shards.append(
                {"file": file.name, "rows": int(kept.sum()), "asked": len(rows), "sha256": file_digest(file)}
            )
            manifest.write(folder)
            bar.update(manifest.asked, f"{manifest.rows:,} kept")
    if not manifest.complete:
        manifest.complete = True
        manifest.write(folder)
    return folder


def _begun(folder: Path, settings: dict[str, Any], spec: Any, source: dict[str, Any]) -> Manifest:
    if not (folder / MANIFEST).exists():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ConfigError(f"out={str(folder)!r} is no empty folder, and holds no recording")
        arrow()
        folder.mkdir(parents=True, exist_ok=True)
        made = Manifest(settings, spec.to_json(), source)
        made.write(folder)
        return made
    there = Manifest.read(folder)
    if apart := differences(there.settings, json.loads(json.dumps(settings))):
        raise ConfigError(f"out={str(folder)!r} holds a recording of other settings: {apart}")
    there.check(folder)
    return there


def _each(name: str, value: Any, n: int, known: Any) -> Any:
    """n of them, or None where none was asked for."""
    if value is None:
        return None
    several = known.several(value) if hasattr(known, "several") else isinstance(value, (list, tuple))
    if not several:
        return [value] * n
    if len(value) != n:
        raise ConfigError(f"{name} has {len(value)} entries for n={n} samples")
    return value


def _plain(value: Any) -> Any:
    try:
        return json.loads(json.dumps(value.tolist() if hasattr(value, "tolist") else value))
    except TypeError:
        return repr(value)


def _named(judge: Any) -> str:
    own = getattr(judge, "__qualname__", type(judge).__qualname__)
    settings = {
        key: _plain(value) for key, value in sorted(getattr(judge, "__dict__", {}).items()) if _plain_data(value)
    }
    return f"{own}({json.dumps(settings, sort_keys=True)})"


def _plain_data(value: Any) -> bool:
    return isinstance(value, (bool, int, float, str)) or value is None
