"""GGUF files as folders that load in a second: dequantised once, which takes a minute or two."""

from __future__ import annotations

import hashlib
from pathlib import Path

import augsynth
from augsynth import authoring
from augsynth_transformers.library import import_transformers


def converted(file: Path) -> Path:
    """The folder, in the user's cache, of the model in a GGUF file; made where it is not there yet.

    Raises:
        ConfigError: the file cannot be read.
        MissingDependencyError: the extra ``transformers`` is not installed.
    """
    stat = file.stat()
    key = hashlib.sha256(f"{file.resolve()} {stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:16]
    folder = authoring.cache_folder("models") / f"{file.stem}-{key}"
    if folder.is_dir():
        return folder
    transformers = import_transformers()
    authoring.import_optional("gguf", extra="transformers", purpose="reading GGUF files")
    import torch

    try:
        given = {"gguf_file": file.name}
        tokenizer = transformers.AutoTokenizer.from_pretrained(file.parent, **given)
        model = transformers.AutoModelForCausalLM.from_pretrained(file.parent, dtype=torch.float32, **given)
    except (OSError, ValueError, RuntimeError) as error:
        raise augsynth.ConfigError(f"{file} cannot be read as a model: {error}") from error
    # the weights are plain numbers by now; that they once were quantised must not keep them from being written
    model.hf_quantizer, model.is_quantized = None, False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    with authoring.atomic_folder(folder) as draft:
        model.save_pretrained(draft)
        tokenizer.save_pretrained(draft)
    return folder
