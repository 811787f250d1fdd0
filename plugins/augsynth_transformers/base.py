"""Where a pretrained model is, whether all of it is there, and which one it is."""

from __future__ import annotations

import hashlib
import json
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import augsynth
from augsynth import authoring
from augsynth_transformers.gguf import converted
from augsynth_transformers.heads import multiply_at_once
from augsynth_transformers.library import import_transformers

CONFIG, INDEX, WEIGHTS = "config.json", "model.safetensors.index.json", "model.safetensors"
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")
_HUB = re.compile(r"[\w.-]+/[\w.-]+\Z")
_ELSEWHERE = "AUGSYNTH_MODELS"
_FOR = {
    "CausalLM": "that goes on with a text",
    "MaskedLM": "that fills in words",
    "Seq2SeqLM": "that makes one text of another",
}
DTYPES = ("float32", "bfloat16", "float16")


def find(model: str) -> Path:
    """The folder of a pretrained model, complete.

    Args:
        model: a folder as ``save_pretrained`` writes it; a GGUF file, which is converted once; or a name on the Hugging
            Face Hub (``owner/name``), which is downloaded once. What is not there is also looked for by its last name
            in the folder that the environment variable ``AUGSYNTH_MODELS`` names, so that a checkpoint can move to
            another machine.

    Raises:
        ConfigError: it is not there, or not all of it.
        MissingDependencyError: the extra ``transformers`` (or ``hub``) is not installed.
    """
    if not isinstance(model, str) or not model:
        raise augsynth.ConfigError(
            f"model={model!r}: expected a folder as of save_pretrained, a GGUF file, or a name on the Hugging Face Hub"
        )
    path = Path(model).expanduser()
    elsewhere = os.environ.get(_ELSEWHERE)
    if not path.exists() and elsewhere and (Path(elsewhere) / path.name).exists():
        path = Path(elsewhere) / path.name
    if path.is_file():
        if path.suffix != ".gguf":
            raise augsynth.ConfigError(f"model={model!r} is a file: expected a folder, or a file that ends in .gguf")
        path = converted(path)
    elif not path.exists():
        if not _HUB.match(model):
            raise augsynth.ConfigError(
                f"model={model!r}: there is no such folder or file here"
                + (f", nor {path.name!r} in {_ELSEWHERE}={elsewhere}" if elsewhere else f" ({_ELSEWHERE} is not set)")
            )
        path = _downloaded(model)
    check_complete(path)
    return path


def check_settings(dtype: str, temperature: float = 1.0) -> None:
    """Raises ConfigError unless weights can be of that type, and words be drawn at that temperature."""
    if not 0.0 <= temperature < float("inf"):
        raise augsynth.ConfigError(f"temperature={temperature!r}: expected a number from 0 up")
    if dtype not in DTYPES:
        raise augsynth.ConfigError(f"dtype={dtype!r}: expected one of {', '.join(map(repr, DTYPES))}")


def check_complete(folder: Path) -> None:
    """Raises ConfigError, with what is missing, unless a model can be loaded from ``folder``."""
    if not (folder / CONFIG).is_file():
        raise augsynth.ConfigError(f"{folder} holds no model: {CONFIG} is missing")
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise augsynth.ConfigError(f"{folder} holds no tokenizer: expected one of {', '.join(_TOKENIZERS)}")
    files = weight_files(folder)
    if not files:
        pickled = [file.name for file in folder.glob("*.bin")]
        raise augsynth.ConfigError(
            f"{folder} holds no weights: {WEIGHTS} is missing"
            + (f"; {pickled[0]} is a pickle, which may execute anything: convert it to safetensors" if pickled else "")
        )
    for file in files:
        _check_whole(file)


def weight_files(folder: Path) -> list[Path]:
    """The files that hold the weights, whether they are there or not; none where nothing says which."""
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if not (folder / INDEX).is_file():
        return []
    try:
        names = sorted(set(json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, AttributeError) as error:
        raise augsynth.ConfigError(f"{folder / INDEX} is damaged: {error}") from error
    if any(Path(name).name != name for name in names):
        raise augsynth.ConfigError(f"{folder / INDEX} names files outside of its folder")
    return [folder / name for name in names]


def fingerprint(folder: Path) -> str:
    """Which model it is: a digest of its weights, its configuration and its tokenizer."""
    names = [*(file.name for file in weight_files(folder)), CONFIG, *_TOKENIZERS]
    files = [folder / name for name in names if (folder / name).is_file()]
    return _digest(tuple((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=2)
def tokenizer_of(folder: str) -> Any:
    """The tokenizer alone."""
    return import_transformers().AutoTokenizer.from_pretrained(folder, trust_remote_code=False)


@lru_cache(maxsize=2)
def loaded(folder: str, dtype: str, kind: str = "CausalLM") -> tuple[Any, Any]:
    """The tokenizer and the model, frozen; shared by all that are made from the same folder."""
    return load_anew(folder, dtype, kind)


def load_anew(folder: str, dtype: str, kind: str = "CausalLM") -> tuple[Any, Any]:
    """The tokenizer and the model, frozen.

    Args:
        kind: what the model is for, as the library names it: ``"CausalLM"``, ``"MaskedLM"``, ``"Seq2SeqLM"``.

    Raises:
        ConfigError: the folder holds a model for something else, some of whose weights would be random.
    """
    transformers = import_transformers()
    import torch

    shown = transformers.utils.logging.is_progress_bar_enabled()
    transformers.utils.logging.disable_progress_bar()  # a bar of one second for each model
    try:
        model, told = getattr(transformers, f"AutoModelFor{kind}").from_pretrained(
            folder,
            dtype=getattr(torch, dtype),
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except ValueError as error:  # an architecture that has no such form
        raise augsynth.ConfigError(f"{folder} holds no model {_FOR[kind]}: {str(error).splitlines()[0]}") from error
    finally:
        if shown:
            transformers.utils.logging.enable_progress_bar()
    if missing := sorted(told["missing_keys"]):
        raise augsynth.ConfigError(f"{folder} holds no model {_FOR[kind]}: it has no weights for {missing[0]}")
    if kind == "CausalLM":
        multiply_at_once(model)
    return tokenizer_of(folder), model.eval().requires_grad_(False)


@lru_cache(maxsize=8)
def _digest(files: tuple[tuple[str, int, int], ...]) -> str:
    made = hashlib.sha256()
    for name, size, _ in files:
        made.update(f"{Path(name).name} {size} ".encode())
        with Path(name).open("rb") as stream:
            while chunk := stream.read(1 << 22):
                made.update(chunk)
    return made.hexdigest()


def _check_whole(file: Path) -> None:
    from safetensors import SafetensorError, safe_open

    if not file.is_file():
        raise augsynth.ConfigError(f"{file} is missing: the model is not there in full; download it again")
    try:
        with safe_open(file, "pt") as weights:
            weights.keys()
    except (SafetensorError, OSError) as error:
        raise augsynth.ConfigError(f"{file} is damaged or half downloaded ({error}); download it again") from error


def _downloaded(name: str) -> Path:
    hub = authoring.import_optional("huggingface_hub", extra="hub", purpose=f"the model {name!r}, which is not here")
    try:
        return Path(
            hub.snapshot_download(name, allow_patterns=["*.json", "*.safetensors", "*.model", "vocab*", "merges*"])
        )
    except Exception as error:
        raise augsynth.ConfigError(
            f"model={name!r} is neither a folder here nor to be had from the Hub ({type(error).__name__}: {error})"
        ) from error
