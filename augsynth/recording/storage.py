"""Where a recording is written: a folder here, or any that fsspec reaches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from augsynth._atomic import atomic_file
from augsynth._optional import import_optional
from augsynth.errors import ConfigError


class Storage:
    """A folder for files that appear whole or not at all.

    Args:
        out: a path, or a URL such as ``s3://bucket/samples``, for which fsspec needs the package of that kind.

    Raises:
        ConfigError: the URL is of a kind that is not known here.
        MissingDependencyError: a URL, and fsspec is not installed.
    """

    def __init__(self, out: str | Path) -> None:
        self.out = str(out).removeprefix("file://")
        self.fs: Any = None
        if "://" not in self.out:
            self.out = str(Path(self.out).absolute())  # also for a process that stands elsewhere
        else:
            fsspec = import_optional("fsspec.core", extra="ray", purpose="writing to a URL")
            try:
                self.fs, self.path = fsspec.url_to_fs(self.out)
            except (ValueError, ImportError) as error:
                raise ConfigError(f"out={self.out!r}: {error}") from error

    @property
    def folder(self) -> Path | None:
        """The folder, where it is one here."""
        return Path(self.out) if self.fs is None else None

    def begin(self) -> None:
        """Make the folder. Raises ConfigError where there is something else in its place."""
        with self._told():
            if self.fs is not None:
                if self.fs.exists(self.path) and self.fs.ls(self.path, detail=False):
                    raise ConfigError(f"out={self.out!r} is no empty folder, and holds no recording")
                self.fs.makedirs(self.path, exist_ok=True)
                return
            folder = Path(self.out)
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise ConfigError(f"out={self.out!r} is no empty folder, and holds no recording")
            folder.mkdir(parents=True, exist_ok=True)

    def lacks(self, names: list[str]) -> list[str]:
        """Those of the files that are not there."""
        with self._told():
            found = (
                {path.rsplit("/", 1)[-1] for path in self.fs.ls(self.path, detail=False)}
                if self.fs is not None
                else {file.name for file in Path(self.out).iterdir()}
            )
        return [name for name in names if name not in found]

    def read(self, name: str) -> bytes | None:
        """A file of it, or None where there is none."""
        with self._told():
            try:
                return (
                    (Path(self.out) / name).read_bytes() if self.fs is None else self.fs.cat_file(f"{self.path}/{name}")
                )
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

    def _told(self) -> Any:
        return _Told(self.out)


class _Told:
    """Errors of a file system as ours, with the place."""

    def __init__(self, out: str) -> None:
        self.out = out

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, OSError):
            raise ConfigError(f"out={self.out!r} cannot be used: {error.strerror or error}") from error
