"""The files of a checkpoint, and the description in it, checked before anything is made of it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from augsynth._atomic import previous_of
from augsynth._version import __version__
from augsynth.errors import CheckpointError

WEIGHTS, DESCRIPTION, CARD, PREVIEW = "model.safetensors", "generator.json", "README.md", "preview"
STATE = "training"
"""Folder in a checkpoint from which a fit goes on."""
FORMAT = 2
LARGEST_DESCRIPTION = 64 * 2**20
"""Bytes. A vocabulary of a large corpus takes a few."""

_PLUGIN = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?/[a-z0-9]+([._-][a-z0-9]+)*\Z")
_FIELDS: dict[str, tuple[type, ...]] = {
    "plugin": (str, type(None)),
    "plugin_version": (str, type(None)),
    "class": (str,),
    "spec": (dict,),
    "config": (dict,),
    "fit": (dict,),
    "sha256": (dict,),
}


def existing(folder: Path) -> Path:
    """The folder, or what was to be replaced by it when the process died. Raises CheckpointError."""
    if folder.is_dir():
        return folder
    if previous_of(folder).is_dir():  # the process died while exchanging old and new
        return previous_of(folder)
    if folder.exists():
        raise CheckpointError(f"{folder} is a file; a checkpoint is a folder with {DESCRIPTION} in it")
    raise CheckpointError(f"there is no checkpoint at {folder}; write one with gen.save({str(folder)!r})")


def load_description(path: str | Path) -> dict[str, Any]:
    """What a checkpoint says about itself, checked. Raises as :func:`load`."""
    return description_of(existing(Path(path)))


def description_of(folder: Path) -> dict[str, Any]:
    """The description in a folder that exists, checked. Raises CheckpointError."""
    file = folder / DESCRIPTION
    if not file.is_file():
        raise CheckpointError(f"{folder} is no checkpoint: {DESCRIPTION} is missing")
    if file.stat().st_size > LARGEST_DESCRIPTION:
        raise CheckpointError(f"{file} has {file.stat().st_size:,} bytes: expected at most {LARGEST_DESCRIPTION:,}")
    try:
        description = json.loads(file.read_text(encoding="utf-8"))
        stated = description.pop("digest")
        version = description["format"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{file} is damaged ({type(error).__name__}: {error}); restore it from a copy") from error
    if not isinstance(version, int) or version > FORMAT:
        raise CheckpointError(
            f"{folder} has format {version!r}; this augsynth {__version__} reads up to {FORMAT}: upgrade it"
        )
    if stated != digest(description):
        raise CheckpointError(
            f"{file} was changed since it was saved: its digest does not match; restore it from a copy"
        )
    for name, types in _FIELDS.items():
        if not isinstance(description.get(name), types):
            raise CheckpointError(
                f"{file}: {name!r} is of type {type(description.get(name)).__name__}, expected "
                f"{' or '.join('null' if one is type(None) else one.__name__ for one in types)}; it was not written by "
                "augsynth"
            )
    if description["plugin"] is not None and not _PLUGIN.match(description["plugin"]):
        raise CheckpointError(
            f"{file}: plugin {description['plugin'][:80]!r} is no name of a plugin, expected 'distribution/name'; it "
            "was not written by augsynth"
        )
    return dict(description)


def digest(description: Mapping[str, Any]) -> str:
    """By which a change of the description is noticed."""
    return hashlib.sha256(json.dumps(description, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def file_digest(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    made = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            made.update(chunk)
    return made.hexdigest()
