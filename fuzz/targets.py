"""The readers that are fuzzed: each takes bytes and must end well, or in an AugsynthError."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import augsynth
from augsynth.checkpoint.format import DESCRIPTION, WEIGHTS, file_digest
from augsynth.datasets.named import open_dataset
from augsynth.modalities.image.tiny import TinyImages
from augsynth.recipe.reading import read_recipe
from tests.support import signed

warnings.simplefilter("ignore")
_SHARED = Path(tempfile.mkdtemp(prefix="augsynth-fuzz-"))
atexit.register(shutil.rmtree, _SHARED, ignore_errors=True)


def _file(name: str) -> Path:
    folder = _SHARED / "case"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder / name


def _all(dataset: Any) -> None:
    for i in range(len(dataset)):
        dataset[i]


def _data(name: str, **options: Any) -> Callable[[bytes], None]:
    def read(content: bytes) -> None:
        file = _file(name)
        file.write_bytes(content)
        _all(open_dataset(str(file), **options))

    return read


def _folder(name: str, **options: Any) -> Callable[[bytes], None]:
    def read(content: bytes) -> None:
        file = _file("a") / name
        file.parent.mkdir()
        file.write_bytes(content)
        _all(open_dataset(str(file.parent.parent), **options))

    return read


def _recipe(content: bytes) -> None:
    file = _file("recipe.yaml")
    file.write_bytes(content)
    read_recipe(file)


def _checkpoint() -> Path:
    saved = _SHARED / "saved"
    if not saved.exists():
        gen = augsynth.fit("vae", TinyImages(24, (1, 8, 8)), steps=2, width=8, progress=False)
        gen.save(saved)
    copy = _file("checkpoint")
    shutil.copytree(saved, copy)
    return copy


def _weights(content: bytes) -> None:
    folder = _checkpoint()
    (folder / WEIGHTS).write_bytes(content)
    signed(folder, lambda description: None)
    augsynth.load(folder).sample(1, seed=0)


def _description(content: bytes) -> None:
    """Any JSON, signed as one who attacks would."""
    folder = _checkpoint()
    try:
        made = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        made = None
    if isinstance(made, dict):
        made.pop("digest", None)
        signed(folder, lambda description: (description.clear(), description.update(made)))
    else:
        (folder / DESCRIPTION).write_bytes(content)
    augsynth.load(folder).sample(1, seed=0)


def _recording() -> Path:
    saved = _SHARED / "recorded"
    if not saved.exists():
        gen = augsynth.load(_checkpoint())
        augsynth.record(gen, 8, saved, seed=0, progress=False)
    copy = _file("recording")
    shutil.copytree(saved, copy)
    return copy


def _manifest(content: bytes) -> None:
    folder = _recording()
    next(folder.glob("*.json")).write_bytes(content)
    augsynth.recorded(folder).sample(1, seed=0)


def _shard(content: bytes) -> None:
    folder = _recording()
    shard = next(folder.glob("*.parquet"))
    manifest = next(folder.glob("*.json"))
    before = file_digest(shard)
    shard.write_bytes(content)
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(before, file_digest(shard)), encoding="utf-8")
    augsynth.recorded(folder).sample(1, seed=0)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "csv": _data("x.csv", text="text", label="label"),
    "jsonl": _data("x.jsonl", text="text", label="label"),
    "parquet": _data("x.parquet", text="text", label="label"),
    "npz": _data("x.npz"),
    "image": _folder("x.png"),
    "wav": _folder("x.wav"),
    "recipe": _recipe,
    "weights": _weights,
    "description": _description,
    "manifest": _manifest,
    "shard": _shard,
}


def seeds(target: str) -> list[bytes]:
    """Good files to begin from."""
    if target in ("csv", "jsonl"):
        rows = [("what is it ?", "a"), ('he said "no"', "b"), ("=1", "a")]
        if target == "jsonl":
            return ["".join(json.dumps({"text": t, "label": y}) + "\n" for t, y in rows).encode()]
        return [b"text,label\n" + "".join(f'"{t.replace(chr(34), chr(34) * 2)}",{y}\n' for t, y in rows).encode()]
    file = _file("seed")
    if target == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table({"text": ["a", "b"], "label": ["x", "y"]}), file)
    elif target == "npz":
        file = file.with_suffix(".npz")
        np.savez_compressed(file, x=np.zeros((3, 8, 8), np.uint8), y=np.arange(3))
    elif target == "image":
        made = []
        for form in ("PNG", "JPEG", "GIF", "BMP", "WEBP"):
            Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(file, form)
            made.append(file.read_bytes())
        return made
    elif target == "wav":
        import wave

        with wave.open(str(file), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(8000)
            out.writeframes(torch.arange(64, dtype=torch.int16).numpy().tobytes())
    elif target == "recipe":
        return [path.read_bytes() for path in Path(__file__).parent.parent.rglob("recipes/*.yaml")]
    elif target in ("weights", "description"):
        file = _checkpoint() / (WEIGHTS if target == "weights" else DESCRIPTION)
    else:
        folder = _recording()
        file = next(folder.glob("*.json" if target == "manifest" else "*.parquet"))
    return [file.read_bytes()]


def run(target: str, content: bytes) -> None:
    """One case: anything but an AugsynthError is a find."""
    try:
        TARGETS[target](content)
    except augsynth.AugsynthError as error:
        if not str(error):
            raise AssertionError("an error that says nothing") from error
