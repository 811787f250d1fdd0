"""A folder of images, with one subfolder per class where they have classes."""

from __future__ import annotations

import statistics
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from augsynth._optional import import_torchvision
from augsynth._progress import progress_bar
from augsynth.datasets.arrays import ArrayDataset, UnlabelledArrays
from augsynth.datasets.folder_reader import is_named_as
from augsynth.datasets.options import check_on_bad
from augsynth.errors import ConversionWarning, DataError, ResizeWarning
from augsynth.modalities.image.files import SUFFIXES, UNREADABLE, Header, read_header, read_image, squared

SIDES = (8, 256)
_NAMED = 5  # unreadable files in one message
_PLAIN = ("1", "L", "P", "RGB")  # modes that lose nothing but what has no meaning


def read_image_folder(path: Path, *, size: int | None = None, on_bad: str = "error") -> ArrayDataset | UnlabelledArrays:
    """Read a folder of images into memory, all of one size and mode: with their classes where it has a subfolder for
    each, without where the images lie in it.

    Images of one size of 8 to 256 pixels a side are taken as they are. Others are cut to a square around their centre
    and resized to the median of their shorter sides, at most 256. Whatever is done to images is said in one line.

    Args:
        path: of the folder. Where it has subfolders of images, others beside them are left out.
        size: side of the square that images are cut and resized to, in place of that rule.
        on_bad: ``"error"`` for files that cannot be read, or ``"drop"``, which leaves them out and lists them.

    Raises:
        ConfigError: ``on_bad`` is neither.
        DataError: no such folder, no classes or images in it, or files that cannot be read (they are named).

    Warns:
        ResizeWarning: images were resized; says from what to what, and what else was done.
        ConversionWarning: images were only turned, or brought to another mode, or files were left out.
    """
    check_on_bad(on_bad)
    classes, names, beside = _listed(Path(path))
    bad: dict[str, str] = {}
    headers = _of_each(read_header, list(classes), f"looking at {path}", bad)
    _refuse(bad, len(classes), on_bad)
    sizes = Counter((header.width, header.height) for header in headers.values())
    if not sizes:
        raise DataError(f"no file in {path} can be read as an image")
    width, height = _size(sizes) if size is None else (size, size)
    grey = all(header.mode in ("1", "L", "LA") or header.mode.startswith("I") for header in headers.values())
    v2 = import_torchvision("torchvision.transforms.v2.functional")

    def pixels(file: str) -> torch.Tensor:
        image = read_image(file).convert("L" if grey else "RGB")
        tensor: torch.Tensor = v2.pil_to_tensor(
            image if image.size == (width, height) else squared(image, width, height)
        )
        return tensor.to(torch.uint8)

    resized = [] if size is not None else _told_sizes(sizes, width, height)
    told = [*resized, *_told_modes(list(headers.values()))]
    if beside:
        told.append(f"{beside:,} more that lie beside the folders of the classes are left out")
    if left := _other_files(Path(path), names):
        told.append(f"{left} files of other kinds are left out")
    category = ResizeWarning if resized else ConversionWarning
    if told:  # before the long part
        warnings.warn(f"of the {len(headers):,} images in {path}, {'; '.join(told)}", category, stacklevel=2)
    images = _of_each(pixels, list(headers), f"reading {path}", bad)
    _refuse(bad, len(classes), on_bad)
    if bad:
        listed = ", ".join(bad)
        warnings.warn(f"{len(bad)} of {len(classes)} files are left out as they cannot be read: {listed}",
                      ConversionWarning, stacklevel=2)  # fmt: skip
    inputs, files, unreadable = torch.stack(list(images.values())), list(images), list(bad.items())
    if not names:
        return UnlabelledArrays(inputs, files=files, unreadable=unreadable)
    return ArrayDataset(inputs, [classes[file] for file in files], names, files=files, unreadable=unreadable)


def _listed(path: Path) -> tuple[dict[str, int], list[str], int]:
    """The files with their class, the names of the classes, none where the images lie in the folder itself, and how
    many lie beside the folders of the classes."""
    top = sorted(str(file) for file in path.iterdir() if is_named_as(file, SUFFIXES)) if path.is_dir() else []
    datasets = import_torchvision("torchvision.datasets")
    try:
        found = datasets.ImageFolder(str(path), is_valid_file=lambda file: is_named_as(Path(file), SUFFIXES))
    except FileNotFoundError as error:
        if top:
            return dict.fromkeys(top, -1), [], 0
        raise DataError(
            f"{path} is no image folder: expected images, or one subfolder of images per class ({error})"
        ) from error
    return dict(found.samples), found.classes, len(top)


def _of_each(read: Callable[[str], Any], files: Sequence[str], title: str, bad: dict[str, str]) -> dict[str, Any]:
    """File → what ``read`` makes of it; why it cannot is noted in ``bad``."""
    made = {}
    with progress_bar(title, len(files)) as bar:
        for file in files:
            try:
                made[file] = read(file)
            except UNREADABLE as error:
                bad[file] = str(error).replace(repr(file), "it")
            bar.advance()
    return made


def _refuse(bad: Mapping[str, str], n: int, on_bad: str) -> None:
    if not bad or on_bad == "drop":
        return
    rows = [f"{file}: {why}" for file, why in list(bad.items())[:_NAMED]]
    more = f"\n  and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
    listed = "\n  ".join(rows)
    raise DataError(
        f"{len(bad)} of {n} files cannot be read as images; repair or remove them, or leave them out with "
        f"--on-bad drop (on_bad= in Python):\n  {listed}{more}"
    )


def _size(sizes: Counter[tuple[int, int]]) -> tuple[int, int]:
    """Width and height that images of these sizes are brought to."""
    if len(sizes) == 1:
        (width, height) = next(iter(sizes))
        if min(width, height) >= SIDES[0] and max(width, height) <= SIDES[1]:
            return width, height
    side = round(statistics.median(min(size) for size in sizes.elements()))
    side = min(max(side, SIDES[0]), SIDES[1])
    return side, side


def _told_sizes(sizes: Counter[tuple[int, int]], width: int, height: int) -> list[str]:
    others = {size: count for size, count in sizes.items() if size != (width, height)}
    if not others:
        return []
    if len(sizes) == 1:
        was = "all of {}×{} pixels".format(*next(iter(sizes)))
    else:
        sides = [side for size in sizes for side in size]
        was = f"{sum(others.values()):,} of {len(others)} other sizes (sides from {min(sides)} to {max(sides)} pixels)"
    how = "cut to a square around the centre and resized" if width == height else "resized"
    return [f"{was} are {how} to {width}×{height}; pass --size (size= in Python) for another side"]


def _told_modes(headers: Sequence[Header]) -> list[str]:
    told = []
    modes = Counter(header.mode for header in headers if header.mode not in _PLAIN)
    grey = sum(header.mode in ("1", "L") for header in headers)
    if 0 < grey < len(headers):
        modes["grey"] = grey
    if modes:
        listed = ", ".join(f"{count} {mode}" for mode, count in modes.most_common())
        told.append(f"{sum(modes.values()):,} of another mode ({listed}) are converted to 8-bit grey or RGB")
    if turned := sum(header.turned for header in headers):
        told.append(f"{turned:,} are turned upright as their EXIF says")
    if moving := sum(header.frames > 1 for header in headers):
        told.append(f"{moving:,} are animations or have several pages, and their first frame is taken")
    return told


def _other_files(path: Path, classes: Sequence[str]) -> int:
    return sum(
        file.is_file() and file.suffix.lower() not in SUFFIXES and not file.name.startswith(".")
        for name in classes or [""]
        for file in (path / name).rglob("*")
    )
