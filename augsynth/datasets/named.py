"""From a name on the command line to a dataset: the modalities say what they can read."""

from __future__ import annotations

import importlib
import os
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np

from augsynth._optional import import_optional
from augsynth.datasets.options import refuse_options
from augsynth.errors import ConfigError, DataError
from augsynth.modality import Reader
from augsynth.registry import default_registry

_ARCHIVE, _EXPANSION = 2**30, 100  # bytes, and how much smaller than its content a larger archive may be


def forms() -> str:
    """What names of data look like, for messages."""
    return ", ".join([*(reader.form for reader in _readers()), "FILE.npz", "hf:NAME", "or module:callable"])


def open_dataset(name: str | Path, *, split: str = "train", **options: Any) -> Any:
    """The dataset that ``name`` stands for.

    Args:
        name: what the reader of a modality knows (``digits``, a folder, a table), an ``.npz`` file with the arrays
            ``x`` and, if labelled, ``y``, ``hf:NAME`` for a Hugging Face dataset, or ``module:callable`` for a function
            without arguments that returns a dataset.
        split: ``"train"`` or ``"test"``, where the data has such a split.
        options: of the reader, such as the columns of a table; None is not given.

    Raises:
        ConfigError: no such name, several readers for it, or an option that does not apply.
        DataError: it cannot be read.
    """
    if split not in ("train", "test"):
        raise ConfigError(f"split={split!r}: expected 'train' or 'test'")
    if not isinstance(name, (str, os.PathLike)):
        raise ConfigError(f"name={name!r}: expected the name or path of a dataset: {forms()}")
    name = os.fspath(name)
    if name.startswith("hf:"):
        refuse_options(name, options)
        return _hugging_face(name[3:], split)
    given = {key for key, value in options.items() if value is not None}
    reading = [reader for reader in _readers() if reader.reads(name, options)]
    reading = [reader for reader in reading if given <= set(reader.options)] or reading
    if len(reading) > 1:
        told = ", ".join(f"as {reader.form}" for reader in reading)
        raise ConfigError(f"data {name!r} can be read in several ways: {told}; pass module:callable instead")
    if reading:
        refuse_options(name, options, *reading[0].options)
        return reading[0].open(name, split=split, options=options)
    path = Path(name).expanduser()
    if path.suffix == ".npz":
        refuse_options(name, options)
        return _npz(path)
    if ":" in name:
        refuse_options(name, options)
        return _from_callable(name)
    there = "nothing in it that any modality reads" if path.exists() else "no such folder or file"
    raise ConfigError(f"data {name!r}: there is {there}; expected {forms()}")


def has_test_split(name: str) -> bool:
    """Whether :func:`open_dataset` finds a test split for ``name``."""
    return name.startswith("hf:") or any(reader.has_test_split(name) for reader in _readers() if reader.reads(name, {}))


def options_of(name: str) -> tuple[str, ...]:
    """Names of the options that reading ``name`` takes."""
    return tuple(option for reader in _readers() if reader.reads(name, {}) for option in reader.options)


def _readers() -> Iterator[Reader]:
    for modality in default_registry().modalities()[0]:
        yield from modality.readers()


def _npz(path: Path) -> Any:
    if not path.is_file():
        raise ConfigError(f"data {str(path)!r}: there is no such file")
    try:
        _check_expanded(path)
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except (OSError, ValueError, EOFError, KeyError, RuntimeError, MemoryError, BadZipFile, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    if "x" not in arrays:
        raise DataError(f"{path} has the arrays {sorted(arrays)}; expected 'x' (n, ...) and, if labelled, 'y' (n,)")
    x, y = arrays["x"], arrays.get("y")
    if y is not None and len(x) != len(y):
        raise DataError(f"{path}: x has {len(x)} samples and y {len(y)} labels")
    return [(one, label.item()) for one, label in zip(x, y, strict=True)] if y is not None else list(x)


def _check_expanded(path: Path) -> None:
    """Raise a ValueError for an archive that unpacks to far more than it is: a mistake, or an attack on the memory."""
    with ZipFile(path) as archive:
        expanded = sum(one.file_size for one in archive.infolist())
    if expanded > _ARCHIVE and expanded > _EXPANSION * path.stat().st_size:
        raise ValueError(
            f"it unpacks to {expanded:,} bytes, {expanded / path.stat().st_size:,.0f} times its size; save it without "
            "compression if that is what you want"
        )


def _hugging_face(name: str, split: str) -> Any:
    datasets = import_optional("datasets", extra="datasets", purpose="Hugging Face datasets")
    try:
        return datasets.load_dataset(name, split=split)
    except Exception as error:  # the hub client raises many kinds
        raise DataError(f"the Hugging Face dataset {name!r} cannot be loaded: {error}") from error


def _from_callable(name: str) -> Any:
    module, _, attribute = name.partition(":")
    sys.path.insert(0, os.getcwd())  # as python -m would find it
    try:
        make = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"data {name!r}: {error}; expected {forms()}") from error
    finally:
        sys.path.remove(os.getcwd())
    return make()
