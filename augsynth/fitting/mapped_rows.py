"""Samples in a file that is mapped into memory, for data that do not fit in it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from augsynth.errors import ConfigError, DataError

PREFIX = "augsynth-samples-"
_UNIT = 2**30


class RowFile:
    """Takes raw samples one by one, and hands them back as one tensor that lies in a file.

    Args:
        folder: where the file is to be. It has no name there, so that nothing is left whatever becomes of the process.
        name: give it this name nevertheless, for other processes to find; it is removed by :meth:`close`.
    """

    def __init__(self, folder: Path, name: str | None = None) -> None:
        self.path = None if name is None else folder / name
        self._folder, self._count = folder, 0
        self._shape: tuple[int, ...] = ()
        self._dtype = torch.float32
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = (
                tempfile.TemporaryFile(prefix=PREFIX, dir=folder)  # noqa: SIM115 - it lives as long as the samples do
                if self.path is None
                else self.path.open("w+b")
            )
        except OSError as error:
            raise ConfigError(f"cache_dir={str(folder)!r}: {error}; expected a folder to write to") from error

    def expect(self, spec: Any, first: Any, n: int | None) -> None:
        """Prepare for ``n`` samples (None: nobody knows) like ``first``.

        Raises:
            ConfigError: they are no tensors, or there is no room for them.
        """
        if not isinstance(first, Tensor) or first.dtype == torch.bfloat16:
            what = str(first.dtype) if isinstance(first, Tensor) else spec.described
            raise ConfigError(f"cache_dir: only tensors are kept in a file, and these samples are {what}; leave it out")
        self._shape, self._dtype = tuple(first.shape), first.dtype
        need, free = (n or 0) * first.nbytes, shutil.disk_usage(self._folder).free
        if need > free:
            raise ConfigError(
                f"cache_dir={str(self._folder)!r}: {n:,} samples take {need / _UNIT:.1f} GiB, and "
                f"{free / _UNIT:.1f} GiB are free; choose another folder, or fewer samples"
            )

    def append(self, raw: Tensor) -> None:
        """Write one sample.

        Raises:
            DataError: it differs from the first in shape or type.
            ConfigError: the disk is full.
        """
        if (tuple(raw.shape), raw.dtype) != (self._shape, self._dtype):
            raise DataError(
                f"a sample of shape {tuple(raw.shape)} and {raw.dtype}: expected {self._shape} and {self._dtype}, "
                "as of the first"
            )
        try:
            self._file.write(raw.contiguous().numpy().tobytes())
        except OSError as error:
            raise ConfigError(
                f"cache_dir={str(self._folder)!r}: {error}, after {self._count:,} samples; choose another folder"
            ) from error
        self._count += 1

    def mapped(self) -> Tensor:
        """(n, ...) all samples."""
        try:
            self._file.flush()
        except OSError as error:
            raise ConfigError(f"cache_dir={str(self._folder)!r}: {error}; choose another folder") from error
        return _mapped(self._file, (self._count, *self._shape), self._dtype)

    def close(self) -> None:
        """Remove the file's name; what is mapped stays until nobody uses it."""
        with suppress(OSError):  # of a full disk, which was told of when the samples were written
            self._file.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def opened(path: Path, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    """(n, ...) the samples of another process's :class:`RowFile`."""
    with path.open("r+b") as file:
        return _mapped(file, shape, dtype)


def _mapped(file: IO[bytes], shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    like = torch.empty(0, dtype=dtype).numpy().dtype
    # private to the process: nobody can change what others read
    return torch.from_numpy(np.memmap(file, dtype=like, mode="c", shape=tuple(shape)))


class Rows:
    """Some rows of samples that lie in a file, in an order of their own; read when they are asked for.

    Args:
        everything: (m, ...) in a file.
        rows: (n,) int64.
    """

    def __init__(self, everything: Tensor, rows: Tensor) -> None:
        self.everything, self.rows = everything, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Tensor:
        return self.everything[self.rows[index]]

    def __iter__(self) -> Iterator[Tensor]:
        return (self.everything[i] for i in self.rows.tolist())

    @classmethod
    def of(cls, samples: Tensor | Rows, indices: Tensor) -> Rows:
        """Some of ``samples``."""
        return cls(samples.everything, samples.rows[indices]) if isinstance(samples, Rows) else cls(samples, indices)
