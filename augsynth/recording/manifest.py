"""What a recording says of itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from augsynth._settings import differences
from augsynth.checkpoint.format import file_digest
from augsynth.errors import CheckpointError, ConfigError
from augsynth.recording.storage import Storage

MANIFEST, FORMAT = "recording.json", 1
_LARGEST = 64 * 2**20  # bytes
_LARGEST_SHARD = 2**31


@dataclass
class Manifest:
    """What a recording says of itself.

    Attributes:
        settings: what its samples follow from; a recording goes on only with the same.
        spec: of the samples, as plain data.
        source: the generator: plugin, version, checkpoint, what its fit said, and the licence.
        shards: files with their number of rows, how many were asked for, and SHA-256.
        complete: whether all that was asked for is there.
    """

    settings: dict[str, Any]
    spec: dict[str, Any]
    source: dict[str, Any]
    shards: list[dict[str, Any]] = field(default_factory=list)
    complete: bool = False

    @property
    def asked(self) -> int:
        """Samples that were asked for so far."""
        return sum(int(shard["asked"]) for shard in self.shards)

    @property
    def rows(self) -> int:
        """Samples that are there."""
        return sum(int(shard["rows"]) for shard in self.shards)

    def add(self, shard: dict[str, Any]) -> None:
        """A file that was written; they stand in the order of their names."""
        self.shards.append(shard)
        self.shards.sort(key=lambda one: str(one["file"]))

    def write(self, storage: Storage) -> None:
        """Whole or not at all."""
        storage.write(MANIFEST, self.text())

    def text(self) -> bytes:
        """As the file has it."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, ensure_ascii=False).encode()

    def finish(self, storage: Storage) -> None:
        """All that was asked for is there."""
        if not self.complete:
            self.complete = True
            self.write(storage)

    @classmethod
    def read(cls, storage: Storage) -> Manifest:
        """Raises CheckpointError where there is none, or it is damaged."""
        text = storage.read(MANIFEST, at_most=_LARGEST)
        if text is None:
            raise CheckpointError(
                f"there is no recording at {storage.out}: {MANIFEST} is missing; augsynth.record writes one"
            )
        return cls.parsed(text, f"{storage.out}/{MANIFEST}")

    @classmethod
    def parsed(cls, text: bytes, file: str) -> Manifest:
        """From the bytes of ``file``. Raises CheckpointError."""
        try:
            data = json.loads(text.decode("utf-8"))
            version = data.pop("format")
            made = cls(**data)
            known = all(_is_shard(one) for one in made.shards)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise CheckpointError(f"{file} is damaged ({type(error).__name__}: {error})") from error
        plain = all(isinstance(one, dict) for one in (made.settings, made.spec, made.source))
        if version != FORMAT or not known or not plain:
            raise CheckpointError(f"{file} is not of format {FORMAT}, or names files outside of its folder")
        return made

    def check(self, folder: Path) -> None:
        """Raises CheckpointError where a file is missing, or not the one that was written."""
        for shard in self.shards:
            file = folder / shard["file"]
            if not file.is_file() or file_digest(file) != shard["sha256"]:
                raise _unlike(file, there=file.is_file())

    def content(self, storage: Storage, shard: Mapping[str, Any]) -> bytes:
        """A file. Raises CheckpointError where it is missing, or not the one that was written."""
        found = storage.read(shard["file"], at_most=_LARGEST_SHARD)
        if found is None or hashlib.sha256(found).hexdigest() != shard["sha256"]:
            raise _unlike(f"{storage.out}/{shard['file']}", there=found is not None)
        return found


def begun(storage: Storage, settings: dict[str, Any], spec: dict[str, Any], source: dict[str, Any]) -> Manifest:
    """The manifest of a recording that is there, or of a new one.

    Raises:
        ConfigError: there is something else, or a recording of other settings (says which).
        CheckpointError: it is damaged.
    """
    text = storage.read(MANIFEST, at_most=_LARGEST)
    if text is None:
        made = Manifest(settings, spec, source)
        if storage.begin(MANIFEST, made.text()):
            return made
        text = storage.read(MANIFEST, at_most=_LARGEST)  # of a process that began at the same moment
    there = Manifest.parsed(text or b"", f"{storage.out}/{MANIFEST}")
    if apart := differences(there.settings, json.loads(json.dumps(settings))):
        raise ConfigError(f"out={storage.out!r} holds a recording of other settings: {apart}")
    if storage.folder is not None:
        there.check(storage.folder)
    else:  # to read all of a bucket would take too long
        found = storage.names()
        for shard in there.shards:
            if shard["file"] not in found:
                raise _unlike(f"{storage.out}/{shard['file']}", there=False)
    return there


def _unlike(file: Path | str, *, there: bool) -> CheckpointError:
    state = "is not the file that was written" if there else "is missing"
    return CheckpointError(f"{file} {state}: restore it, or record anew into another folder")


def _is_shard(one: Any) -> bool:
    """Whether it names a file in this folder, and how many samples are in it."""
    return (
        Path(one["file"]).name == one["file"]
        and isinstance(one["sha256"], str)
        and all(type(one[key]) is int for key in ("rows", "asked"))
        and one["rows"] >= 0
        and one["asked"] > 0
    )
