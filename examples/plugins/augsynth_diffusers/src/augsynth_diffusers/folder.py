"""Where a pipeline is, which one it is, and what it can be asked."""

from __future__ import annotations

import hashlib
import inspect
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import augsynth
from augsynth import authoring

INDEX = "model_index.json"


def found(pipeline: str) -> Path:
    """The folder of a pipeline as ``save_pretrained`` writes it.

    Raises:
        ConfigError: it is not there, or has weights that are pickles only.
    """
    folder = Path(pipeline).expanduser() if isinstance(pipeline, str) and pipeline else None
    if folder is None or not (folder / INDEX).is_file():
        raise augsynth.ConfigError(f"pipeline={pipeline!r}: expected a folder with {INDEX}, as of save_pretrained")
    try:
        parts = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except ValueError as error:
        raise augsynth.ConfigError(f"{folder / INDEX} is damaged: {error}") from error
    if not any(folder.rglob("*.safetensors")):
        raise augsynth.ConfigError(f"{folder} ({parts.get('_class_name')}) has no safetensors: convert its weights")
    return folder


@lru_cache(maxsize=4)
def fingerprint(folder: Path) -> str:
    """Which pipeline it is: a digest of its index and its weights."""
    files = [folder / INDEX, *sorted(folder.rglob("*.safetensors"))]
    told = "".join(f"{file.relative_to(folder)} {authoring.file_digest(file)}\n" for file in files)
    return hashlib.sha256(told.encode()).hexdigest()


@lru_cache(maxsize=2)
def loaded(folder: Path, dtype: str) -> Any:
    """The pipeline, without a bar. Raises ConfigError where diffusers cannot read it."""
    import torch
    from diffusers import DiffusionPipeline

    authoring.import_torchvision()
    try:
        pipe = DiffusionPipeline.from_pretrained(
            str(folder), torch_dtype=getattr(torch, dtype), use_safetensors=True, local_files_only=True
        )
    except (OSError, ValueError, TypeError) as error:
        raise augsynth.ConfigError(f"{folder} is no pipeline that diffusers can read: {error}") from error
    pipe.set_progress_bar_config(disable=True)
    return pipe


def asks_for(pipe: Any) -> str:
    """``"prompt"``, ``"class_labels"``, or ``""`` for a pipeline that is asked for nothing."""
    taken = inspect.signature(type(pipe).__call__).parameters
    return next((name for name in ("prompt", "class_labels") if name in taken), "")
