"""From a name on the command line to a dataset."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from augsynth._optional import import_optional
from augsynth.datasets.arrays import ArrayDataset
from augsynth.datasets.idx import read_idx
from augsynth.datasets.image_folder import read_image_folder
from augsynth.datasets.tables import SUFFIXES, read_table
from augsynth.errors import ConfigError, DataError

FORMS = (
    "digits, fashion-mnist, a folder of images, FILE.npz, a table of texts (.csv, .tsv, .jsonl, .parquet), hf:NAME, "
    "or module:callable"
)
_FASHION = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Boot"]
_FASHION_FOLDERS = ("/usr/share/datasets/fashion-mnist", "~/.cache/fashion-mnist", "data/FashionMNIST/raw")


def open_dataset(
    name: str, *, split: str = "train", size: int | None = None, text: str | None = None, label: str | None = None
) -> Any:
    """The dataset that ``name`` stands for.

    Args:
        name: ``digits`` (the 1,797 digits of 8×8 pixels in scikit-learn), ``fashion-mnist``, a folder with a subfolder
            of images per class, a table of texts (``.csv``, ``.tsv``, ``.jsonl`` or ``.parquet``), an ``.npz`` file
            with the arrays ``x`` and, if labelled, ``y``, ``hf:NAME`` for a Hugging Face dataset, or
            ``module:callable`` for a function without arguments that returns a dataset.
        split: ``"train"`` or ``"test"``, where the data has such a split; digits are split 1,200 to 597, by class and
            at random with a fixed seed.
        size: side that images of a folder are resized to.
        text, label: columns of a table.

    Raises:
        ConfigError: no such name.
        DataError: it cannot be read.
    """
    if split not in ("train", "test"):
        raise ConfigError(f"split={split!r}: expected 'train' or 'test'")
    if name == "digits":
        return _digits(split)
    if name == "fashion-mnist":
        return _fashion_mnist(split)
    if name.startswith("hf:"):
        return _hugging_face(name[3:], split)
    path = Path(name).expanduser()
    if path.suffix in SUFFIXES:
        return read_table(path, text=text, label=label)
    if text or label:
        raise ConfigError(f"data {name!r}: --text and --label are for tables: {', '.join(SUFFIXES)}")
    if path.suffix == ".npz":
        return _npz(path)
    if path.is_dir():
        inner = path / split
        return read_image_folder(inner if inner.is_dir() else path, size=size)
    if ":" in name:
        return _from_callable(name)
    raise ConfigError(f"data {name!r}: there is no such folder or file; expected {FORMS}")


def _digits(split: str) -> ArrayDataset:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    # 17 grey levels, 0 to 16
    images = torch.from_numpy((digits.images * (255 / 16)).round().astype(np.uint8))[:, None]
    train, test = train_test_split(np.arange(len(images)), train_size=1200, random_state=0, stratify=digits.target)
    chosen = torch.from_numpy(train if split == "train" else test)
    return ArrayDataset(images, digits.target, [str(i) for i in range(10)]).subset(chosen)


def _fashion_mnist(split: str) -> ArrayDataset:
    prefix = "train" if split == "train" else "t10k"
    folders = [os.environ.get("AUGSYNTH_FASHION_MNIST"), *_FASHION_FOLDERS]
    for folder in (Path(one).expanduser() for one in folders if one):
        images, labels = (folder / f"{prefix}-{part}-ubyte.gz" for part in ("images-idx3", "labels-idx1"))
        if images.is_file() and labels.is_file():
            x = torch.from_numpy(read_idx(images).copy())[:, None]
            return ArrayDataset(x, torch.from_numpy(read_idx(labels).astype(np.int64)), _FASHION)
    raise DataError(
        "Fashion-MNIST is not on this machine; looked in "
        f"{', '.join(one for one in folders if one)}. On Debian and Ubuntu: apt install dataset-fashion-mnist; "
        "elsewhere put its four .gz files into a folder and set AUGSYNTH_FASHION_MNIST to it"
    )


def _npz(path: Path) -> Any:
    if not path.is_file():
        raise ConfigError(f"data {str(path)!r}: there is no such file")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    if "x" not in arrays:
        raise DataError(f"{path} has the arrays {sorted(arrays)}; expected 'x' (n, ...) and, if labelled, 'y' (n,)")
    x, y = arrays["x"], arrays.get("y")
    if y is not None and len(x) != len(y):
        raise DataError(f"{path}: x has {len(x)} samples and y {len(y)} labels")
    return [(one, label.item()) for one, label in zip(x, y, strict=True)] if y is not None else list(x)


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
        raise ConfigError(f"data {name!r}: {error}; expected {FORMS}") from error
    finally:
        sys.path.remove(os.getcwd())
    return make()
