"""Read folders by name on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

_OTHERWISE = ("val", "valid", "validation")


class FolderReader:
    """A reader of folders of files, with a subfolder for each class where they have classes, and with ``train`` and
    ``test`` above these where there are such parts; beside ``train``, ``val``, ``valid`` or ``validation`` stands for a
    ``test`` that is not there.

    A subclass names :attr:`form`, :attr:`suffixes` and :attr:`options`, and writes :meth:`read`.
    """

    form: ClassVar[str] = "a folder"
    suffixes: ClassVar[tuple[str, ...]] = ()
    """Of the files, lower case; a folder with none of them is not read."""
    options: ClassVar[tuple[str, ...]] = ()

    def read(self, path: Path, **options: Any) -> Any:
        """The dataset in a folder that has no such parts; only options that were given are passed."""
        raise NotImplementedError(f"{type(self).__name__} must define read(path, **options)")

    def reads(self, name: str, options: Mapping[str, Any]) -> bool:
        path = Path(name).expanduser()
        return path.is_dir() and any(is_named_as(file, self.suffixes) for file in path.rglob("*"))

    def has_test_split(self, name: str) -> bool:
        return _held_out(Path(name).expanduser()) is not None

    def open(self, name: str, *, split: str, options: Mapping[str, Any]) -> Any:
        path = Path(name).expanduser()
        inner = _held_out(path) if split == "test" else path / split
        given = {key: value for key, value in options.items() if value is not None}
        return self.read(inner if inner is not None and inner.is_dir() else path, **given)


def is_named_as(file: Path, suffixes: Sequence[str]) -> bool:
    """Whether a file is of one of these kinds, by its name; macOS leaves hidden files of the same names on other disks,
    which are none."""
    return file.suffix.lower() in suffixes and not file.name.startswith(".")


def _held_out(path: Path) -> Path | None:
    """The part of a folder that is held out, or None."""
    names = ("test", *_OTHERWISE) if (path / "train").is_dir() else ("test",)  # "valid" may well be a class
    return next((path / name for name in names if (path / name).is_dir()), None)
