"""Write samples once, in files that other tools read, too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from augsynth._filtering import Filter, filters_of
from augsynth._progress import progress_bar
from augsynth.generator.generator import Generator
from augsynth.recording.request import Request, opened


def record(
    gen: Generator,
    n: int,
    out: str | Path,
    *,
    labels: Any = None,
    topics: Any = None,
    filters: Filter | Sequence[Filter] = (),
    seed: int = 0,
    shard_size: int = 1000,
    licence: str | None = None,
    progress: bool = True,
    **options: Any,
) -> Path | str:
    """Sample once and keep the samples, with where they came from, for :func:`recorded` to replay: for a generator that
    is slow, costly, or will not be there again.

    The folder holds Parquet files of ``shard_size`` requests each (``datasets.load_dataset("parquet", data_files=...)``
    reads them, too) and ``recording.json``. Sample i follows from the seed and i alone. What was written stays when it
    is interrupted or the generator fails, and the same call goes on from there.

    Args:
        gen: a fitted generator.
        n: samples to ask for; with filters, fewer are kept.
        out: the folder, or a URL that fsspec writes to, such as ``s3://bucket/samples``.
        labels, topics: one for all, or a sequence of n, as of :meth:`Generator.sample`.
        filters: one or several; each takes a :class:`SampleBatch` and gives (n,) bool; what one rejects is left out.
        seed: everything random follows it.
        shard_size: requests a file; so many are lost at most.
        licence: of the samples, such as that of a pretrained model, for those who get the folder.
        progress: show a progress bar on a terminal.
        options: of sampling.

    Returns:
        The folder: a path, or the URL as it was given.

    Raises:
        ConfigError: an argument or the folder cannot be used, or it holds a recording of other settings (says which).
        CapabilityError: its targets are no classes.
        MissingDependencyError: the extra ``datasets`` is not installed.
    """
    request = Request(n, shard_size, seed, labels, topics, filters_of(filters), options)
    storage, manifest, missing = opened(gen, request, out, licence)
    with progress_bar("recording", n, show=progress) as bar:
        for index in missing:
            data, shard = request.made(gen, index)
            storage.write(shard["file"], data)
            manifest.add(shard)
            manifest.write(storage)
            bar.update(manifest.asked, f"{manifest.rows:,} kept")
    manifest.finish(storage)
    return Path(out) if storage.folder is not None else str(out)
