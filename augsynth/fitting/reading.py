"""Read the data of a fit: into memory or a file, each process for itself or one for all of its machine."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from augsynth.errors import AugsynthError
from augsynth.fitting.mapped_rows import PREFIX, RowFile, opened
from augsynth.fitting.ranks import Ranks
from augsynth.fitting.training_data import TrainingData


def read(dataset: Any, ranks: Ranks, cache_dir: str | Path | None, **options: Any) -> TrainingData:
    """All samples of ``dataset``, the same in all processes.

    Args:
        dataset: map-style or a finite iterable.
        ranks: the processes of the fit.
        cache_dir: keep the samples in a file there; then one process of each machine reads the dataset.
        options: as of :meth:`TrainingData.read`.

    Raises:
        DataError: as :meth:`TrainingData.read`, or the processes have different data.
        ConfigError: ``cache_dir`` cannot be used.
    """
    if cache_dir is None:
        data = TrainingData.read(dataset, **options)
        ranks.check_alike(data.fingerprint)
        return data
    folder = Path(cache_dir)
    if ranks.alone:
        file = RowFile(folder)
        try:
            return TrainingData.read(dataset, file=file, **options)
        finally:
            file.close()
    return _read_for_all(dataset, ranks, folder, **options)


def _read_for_all(dataset: Any, ranks: Ranks, folder: Path, **options: Any) -> TrainingData:
    name = f"{PREFIX}{ranks.broadcast(uuid.uuid4().hex[:8])}-{ranks.node}"
    file: RowFile | None = None
    data: TrainingData | None = None
    failed: AugsynthError | None = None
    try:
        if ranks.leads_node:
            try:
                file = RowFile(folder, name)
                data = TrainingData.read(dataset, file=file, **options)
            except AugsynthError as error:
                failed = error
        if ranks.sums([float(failed is not None)])[0]:
            raise ranks.broadcast(failed) or failed or AugsynthError("another process could not read the data")
        told, shape, dtype = ranks.broadcast(
            None if data is None else (replace(data, raw=None), data.raw.shape, data.raw.dtype)
        )
        if data is None:
            data = replace(told, raw=opened(folder / name, shape, dtype))
        ranks.check_alike(data.fingerprint)
        return data
    finally:
        if file is not None:
            file.close()
