"""Parquet files, read in parts, so that a small file cannot unpack to all of the memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from augsynth._optional import import_optional
from augsynth.errors import DataError

_ROWS = 1024  # at once
_FREE = 2**30  # bytes that any file may unpack to
_RATIO = 200  # times its size, beyond that: texts that repeat are packed to a few hundredths


def record_batches(path: Path | str, *, purpose: str, content: bytes | None = None) -> Iterator[Any]:
    """The rows of a file, as pyarrow's record batches of at most 1024.

    Args:
        purpose: what pyarrow is needed for, where it is missing.
        content: of the file, where it was read already.

    Raises:
        DataError: what is read so far is far larger than the file.
        MissingDependencyError: the extra ``datasets`` is not installed.
        Exception: of many kinds, from pyarrow, for a file that is damaged.
    """
    parquet = import_optional("pyarrow.parquet", extra="datasets", purpose=purpose)
    size, unpacked = Path(path).stat().st_size if content is None else len(content), 0
    with parquet.ParquetFile(path if content is None else io.BytesIO(content)) as file:
        for batch in file.iter_batches(batch_size=_ROWS):
            unpacked += batch.nbytes
            if unpacked > max(_FREE, _RATIO * size):
                raise DataError(
                    f"{path} unpacks to more than {unpacked:,} bytes, {unpacked / size:,.0f} times its size: that is "
                    "no table to fit on. If it is meant, write it in parts of less than 1 GiB"
                )
            yield batch
