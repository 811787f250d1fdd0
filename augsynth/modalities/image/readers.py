"""Images by name on the command line."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from augsynth.datasets.arrays import ArrayDataset, UnlabelledArrays
from augsynth.datasets.folder_reader import FolderReader
from augsynth.errors import ConfigError, DataError
from augsynth.modalities.image.files import SUFFIXES
from augsynth.modalities.image.folder import read_image_folder
from augsynth.modalities.image.idx import read_idx

_FASHION = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Boot"]
_FASHION_FOLDERS = ("/usr/share/datasets/fashion-mnist", "~/.cache/fashion-mnist", "data/FashionMNIST/raw")


class Named:
    """A well-known dataset with a training and a test part.

    Args:
        form: its name.
        read: ``"train"`` or ``"test"`` → the dataset.
    """

    options = ()

    def __init__(self, form: str, read: Callable[[str], ArrayDataset]) -> None:
        self.form, self._read = form, read

    def reads(self, name: str, options: Mapping[str, Any]) -> bool:
        return name == self.form

    def has_test_split(self, name: str) -> bool:
        return True

    def open(self, name: str, *, split: str, options: Mapping[str, Any]) -> ArrayDataset:
        return self._read(split)


class Folder(FolderReader):
    """A folder of images; the option ``size`` resizes to squares, and ``on_bad`` says what becomes of files that cannot
    be read."""

    form = "a folder of images"
    suffixes = SUFFIXES
    options = ("size", "on_bad")

    def read(self, path: Path, **options: Any) -> ArrayDataset | UnlabelledArrays:
        size = options.get("size")
        if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
            raise ConfigError(f"size={size!r}: expected the side of a square in pixels")
        return read_image_folder(path, size=size, on_bad=options.get("on_bad", "error"))


def read_digits(split: str) -> ArrayDataset:
    """A part of the 1,797 digits of 8×8 pixels in scikit-learn, split 1,200 to 597 by class, at random with a fixed
    seed."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    # 17 grey levels, 0 to 16
    images = torch.from_numpy((digits.images * (255 / 16)).round().astype(np.uint8))[:, None]
    train, test = train_test_split(np.arange(len(images)), train_size=1200, random_state=0, stratify=digits.target)
    chosen = torch.from_numpy(train if split == "train" else test)
    return ArrayDataset(images, digits.target, [str(i) for i in range(10)]).subset(chosen)


def read_fashion_mnist(split: str) -> ArrayDataset:
    """A part of Fashion-MNIST, from the four files that its authors publish. Raises DataError where it is not on this
    machine."""
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


READERS = (Named("digits", read_digits), Named("fashion-mnist", read_fashion_mnist), Folder())
