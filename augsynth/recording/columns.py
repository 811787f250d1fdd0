"""Samples as columns of a table, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from augsynth._optional import import_optional

_AT_ONCE = 2**19  # numbers that are converted, or written
_EXTRA = {"extra": "datasets", "purpose": "recording samples as Parquet"}


def arrow() -> Any:
    """The library pyarrow. Raises MissingDependencyError."""
    return import_optional("pyarrow", **_EXTRA)


def parquet() -> Any:
    """Its reader and writer of Parquet. Raises MissingDependencyError."""
    return import_optional("pyarrow.parquet", **_EXTRA)


def table_of(spec: Any, batch: Any, kept: list[int]) -> Any:
    """The rows ``kept`` of a batch of samples as an Arrow table: ``x`` (text, or nested lists of numbers, in the shape,
    dtype and range of the dataset), ``label``, ``topic``, ``seed``, and ``position`` and ``about``, the positions of
    label and topic among those of the spec."""
    pa = arrow()
    x = batch.model_x
    if kept != [*range(len(x))]:  # a copy, which all of it does not need
        x = x[torch.tensor(kept, dtype=torch.int64)]
    columns: dict[str, Any] = {"x": _column(pa, _by_pieces(spec, x))}
    if batch.classes is not None:
        own = batch.classes[kept].cpu()
        columns["label"] = pa.array(spec.labels.displayed).take(pa.array(own.numpy()))
        columns["position"] = _column(pa, own)
    if batch.topics is not None:
        about = pa.array(batch.topics[kept].cpu().numpy())
        columns["topic"] = pa.array([spec.topics.display(i) for i in range(len(spec.topics))]).take(about)
        columns["about"] = about
    columns["seed"] = pa.array(batch.meta.seeds[kept].cpu().numpy())
    return pa.table(columns)


def parquet_of(spec: Any, batch: Any, kept: list[int], start: int = 0) -> bytes:
    """:func:`table_of` as a Parquet file."""
    sink, table = arrow().BufferOutputStream(), table_of(spec, batch, kept)
    # the least and the largest pixel of a file helps nobody to find a sample; larger batches are written faster
    told = [name for name in table.column_names if name != "x"]
    parquet().write_table(table, sink, write_statistics=told, write_batch_size=_AT_ONCE)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def raws_of(spec: Any, column: Any) -> Any:
    """The column ``x`` as n raw samples."""
    pa = arrow()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return spec.stacked(column.to_pylist())
    return tensor_of(column)


def tensor_of(column: Any) -> Tensor:
    """(n, ...) of nested lists of one length each."""
    pa = arrow()
    array = pa.concat_arrays(column.chunks)
    shape = [len(array)]
    while pa.types.is_fixed_size_list(array.type):
        shape.append(array.type.list_size)
        array = array.flatten()
    return torch.from_numpy(np.array(array.to_numpy(zero_copy_only=False))).reshape(shape)


def _by_pieces(spec: Any, x: Any) -> Any:
    """``x`` as the dataset yields it; numbers a piece at a time, while it is in the cache."""
    if not isinstance(x, Tensor) or not len(x):
        return spec.placed(spec.model_to_raw(x), "cpu")
    rows = max(1, _AT_ONCE // x[0].numel())
    return torch.cat([spec.placed(spec.model_to_raw(part), "cpu") for part in x.split(rows)])


def _column(pa: Any, raw: Any) -> Any:
    if not isinstance(raw, Tensor):
        return pa.array(list(raw))
    values = pa.array(raw.contiguous().numpy().reshape(-1))
    for size in reversed(raw.shape[1:]):
        values = pa.FixedSizeListArray.from_arrays(values, size)
    return values
