"""Read folders by name on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar


class FolderReader:
    """A reader of folders with a subfolder of files for each class, or with ``train`` and ``test`` above these.

    A subclass names :attr:`form`, :attr:`suffixes` and :attr:`options`, and writes :meth:`read`.
    """

    form: ClassVar[str] = "a folder"
    suffixes: ClassVar[tuple[str, ...]] = ()
    """Of the files, lower case; a folder with none of them is not read."""
    options: ClassVar[tuple[str, ...]] = ()

    def read(self, path: Path, **options: Any) -> Any:
        """The dataset in a folder with a subfolder for each class; only options that were given are passed."""
        raise NotImplementedError(f"{type(self).__name__} must define read(path, **options)")

    def reads(self, name: str, options: Mapping[str, Any]) -> bool:
        path = Path(name).expanduser()
        return path.is_dir() and any(file.suffix.lower() in self.suffixes for file in path.rglob("*"))

    def has_test_split(self, name: str) -> bool:
        return (Path(name).expanduser() / "test").is_dir()

    def open(self, name: str, *, split: str, options: Mapping[str, Any]) -> Any:
        path = Path(name).expanduser()
        inner = path / split
        given = {key: value for key, value in options.items() if value is not None}
        return self.read(inner if inner.is_dir() else path, **given)
