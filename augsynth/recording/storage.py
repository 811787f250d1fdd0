"""Where a recording is written: a folder here, or any that fsspec reaches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from augsynth._atomic import atomic_file, created, is_draft
from augsynth._optional import import_optional
from augsynth.errors import CheckpointError, ConfigError

# where a folder needs no making: to make one would make the bucket, too, whose name was perhaps mistyped
_BUCKETS = {"s3", "s3a", "gs", "gcs", "az", "abfs", "oss", "oci"}


class Storage:
    """A folder for files that appear whole or not at all.

    Args:
        out: a path, or a URL such as ``s3://bucket/samples``, for which fsspec needs the package of that kind.
        argument: what messages call it.

    Raises:
        ConfigError: the URL is of a kind that is not known here.
        MissingDependencyError: a URL, and fsspec is not installed.
    """

    def __init__(self, out: str | Path, argument: str = "out") -> None:
        self.argument = argument
        self.out = str(out).removeprefix("file://")
        self.fs: Any = None
        if "://" not in self.out:
            self.out = str(Path(self.out).absolute())  # also for a process that stands elsewhere
        else:
            fsspec = import_optional("fsspec.core", extra="ray", purpose="folders at a URL")
            try:
                self.fs, self.path = fsspec.url_to_fs(self.out)
            except (ValueError, ImportError) as error:
                raise ConfigError(f"{self.argument}={self.out!r}: {error}") from error

    @property
    def folder(self) -> Path | None:
        """The folder, where it is one here."""
        return Path(self.out) if self.fs is None else None

    def begin(self, name: str, data: bytes) -> bool:
        """Make the folder with its first file; False where another process made that first, which a store that cannot
        write exclusively may not notice. Raises ConfigError where there is something else in its place."""
        with self._told():
            folder, there = self.folder, self.names()
            if name in there:
                return False
            if (folder is not None and folder.exists() and not folder.is_dir()) or there:
                raise ConfigError(f"{self.argument}={self.out!r} is no empty folder, and holds no recording")
            if folder is None:
                if not _BUCKETS.intersection(self._kinds()):
                    self.fs.makedirs(self.path, exist_ok=True)
                return self._created(f"{self.path}/{name}", data)
            folder.mkdir(parents=True, exist_ok=True)
            return created(folder / name, data)

    def names(self) -> set[str]:
        """Of the files that are there, but for those that are being written."""
        with self._told():
            if self.fs is None:
                folder = Path(self.out)
                found = [file.name for file in folder.iterdir()] if folder.is_dir() else []
                return {name for name in found if not is_draft(name)}
            found = self.fs.ls(self.path, detail=False) if self.fs.exists(self.path) else []
            return {path.rsplit("/", 1)[-1] for path in found}

    def read(self, name: str, *, at_most: int) -> bytes | None:
        """A file of it, or None where there is none. Raises CheckpointError above ``at_most`` bytes."""
        with self._told():
            try:
                if self.fs is None:
                    file = Path(self.out) / name
                    size, read = file.stat().st_size, file.read_bytes
                else:
                    path = f"{self.path}/{name}"
                    size, read = self.fs.size(path), lambda: self.fs.cat_file(path)
                if size > at_most:
                    raise CheckpointError(f"{self.out}/{name} has {size:,} bytes: expected at most {at_most:,}")
                return read()
            except (FileNotFoundError, NotADirectoryError):
                return None

    def write(self, name: str, data: bytes) -> None:
        """Whole or not at all; what was there is replaced. Object stores write so by themselves."""
        with self._told():
            if self.fs is not None:
                self.fs.pipe_file(f"{self.path}/{name}", data)
                return
            with atomic_file(Path(self.out) / name) as draft:
                draft.write_bytes(data)

    def _kinds(self) -> tuple[str, ...]:
        kinds = self.fs.protocol
        return (kinds,) if isinstance(kinds, str) else tuple(kinds)

    def _created(self, path: str, data: bytes) -> bool:
        """Write a file of a store that is not there; False where it is."""
        try:
            self.fs.pipe_file(path, data, mode="create")
        except TypeError:  # a store of fsspec that knows no such mode
            self.fs.pipe_file(path, data)
        except Exception:
            if not self.fs.exists(path):  # a store tells in its own words that a file is there
                raise
            return False
        return True

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of the file system as ours, with the place."""
        try:
            yield
        except OSError as error:
            raise ConfigError(f"{self.argument}={self.out!r} cannot be used: {error.strerror or error}") from error
        except (CheckpointError, ConfigError):
            raise
        except Exception as error:  # a store raises whatever it likes: boto, for one, where it finds no credentials
            if self.fs is None:
                raise
            raise ConfigError(
                f"{self.argument}={self.out!r} cannot be used: {type(error).__name__}: {error}"
            ) from error
