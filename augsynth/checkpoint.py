"""Save and load generators: a folder of plain data that nothing in it can make execute."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from augsynth._atomic import atomic_folder, previous_of
from augsynth._version import __version__
from augsynth.errors import AugsynthError, CheckpointError, NotFittedError, PluginError, PluginNotFoundError
from augsynth.grids import image_grid
from augsynth.registry import default_registry
from augsynth.space import space_from_json

if TYPE_CHECKING:
    from augsynth.generator import Generator

WEIGHTS, DESCRIPTION, CARD, PREVIEW = "model.safetensors", "generator.json", "README.md", "preview"
FORMAT = 1
_PREVIEW_PER_CLASS, _PREVIEW_CLASSES = 8, 16


def save(generator: Generator, path: str | Path) -> Path:
    """Write ``generator`` to the folder ``path``; see :meth:`augsynth.Generator.save`."""
    with atomic_folder(path) as folder:
        write(generator, folder)
    return Path(path)


def write(generator: Generator, folder: Path) -> None:
    """Write the files of a checkpoint into an existing, empty folder."""
    if generator.spec is None:
        raise NotFittedError("only a fitted generator can be saved: use augsynth.fit(...) first")
    save_file(
        {name: t.detach().cpu().contiguous() for name, t in generator.inference_state().items()}, folder / WEIGHTS
    )
    description: dict[str, Any] = {
        "format": FORMAT,
        "augsynth": __version__,
        "plugin": generator.plugin,
        "plugin_version": generator.plugin_version,
        "class": type(generator).__qualname__,
        "spec": generator.spec.to_json(),
        "config": generator.config,
        "fit": generator.fit_info,
        "sha256": {WEIGHTS: _file_digest(folder / WEIGHTS)},
    }
    description["digest"] = _digest(description)
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=2, ensure_ascii=False), encoding="utf-8")
    (folder / CARD).write_text(_card(generator), encoding="utf-8")
    _write_preview(generator, folder)


def load(path: str | Path, *, device: str | torch.device = "cpu", cls: type[Generator] | None = None) -> Generator:
    """Load a generator from a checkpoint folder.

    The plugin is taken from those installed; nothing in the folder is executed.

    Args:
        path: folder written by :meth:`augsynth.Generator.save`.
        device: where to put it; ``"auto"`` takes a GPU if there is one.
        cls: class to use in place of an installed plugin, for a generator of your own that is not packaged.

    Raises:
        CheckpointError: missing, truncated, tampered with, of a newer format, or of a plugin that is not installed
            (the message names the distribution to install).
    """
    folder = _existing(Path(path))
    description = _description(folder)
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise CheckpointError(f"{folder} is incomplete: {WEIGHTS} is missing; save the generator again")
    if _file_digest(weights) != description["sha256"].get(WEIGHTS):
        raise CheckpointError(
            f"{weights} is not the file that was saved (truncated, or changed since): its SHA-256 differs from the "
            f"one in {DESCRIPTION}; restore the folder from where you copied it"
        )
    generator = _make(folder, description, cls)
    try:
        generator.prepare(space_from_json(description["spec"]))
        generator.drop_training_modules()
        generator.load_state_dict(load_file(weights))
    except AugsynthError:
        raise
    except (SafetensorError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{folder} does not fit {generator.plugin or type(generator).__name__} {generator.plugin_version or ''}: "
            f"it was saved with version {description.get('plugin_version')}; {error}"
        ) from error
    generator.fit_info = description["fit"]
    generator.checkpoint_id = description["sha256"][WEIGHTS][:12]
    if str(device) == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return generator.to(device).eval()


def weights_id(generator: Generator) -> str:
    """Twelve hex digits that identify the weights, as provenance records them."""
    from safetensors.torch import save as to_bytes

    state: Mapping[str, Tensor] = generator.inference_state()
    return hashlib.sha256(to_bytes({k: t.detach().cpu().contiguous() for k, t in state.items()})).hexdigest()[:12]


def _existing(folder: Path) -> Path:
    if folder.is_dir():
        return folder
    if previous_of(folder).is_dir():  # the process died while exchanging old and new
        return previous_of(folder)
    if folder.exists():
        raise CheckpointError(f"{folder} is a file; a checkpoint is a folder with {DESCRIPTION} in it")
    raise CheckpointError(f"there is no checkpoint at {folder}; write one with gen.save({str(folder)!r})")


def load_description(path: str | Path) -> dict[str, Any]:
    """What a checkpoint says about itself, checked. Raises as :func:`load`."""
    return _description(_existing(Path(path)))


def _description(folder: Path) -> dict[str, Any]:
    file = folder / DESCRIPTION
    if not file.is_file():
        raise CheckpointError(f"{folder} is no checkpoint: {DESCRIPTION} is missing")
    try:
        description = json.loads(file.read_text(encoding="utf-8"))
        stated = description.pop("digest")
        version = description["format"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{file} is damaged ({type(error).__name__}: {error}); restore it from a copy") from error
    if not isinstance(version, int) or version > FORMAT:
        raise CheckpointError(
            f"{folder} has format {version!r}; this augsynth {__version__} reads up to {FORMAT}: upgrade it"
        )
    if stated != _digest(description):
        raise CheckpointError(
            f"{file} was changed since it was saved: its digest does not match; restore it from a copy"
        )
    return dict(description)


def _make(folder: Path, description: dict[str, Any], cls: type[Generator] | None) -> Generator:
    plugin = description["plugin"]
    if cls is not None:
        generator = cls(**description["config"])
        generator.plugin = plugin
        return generator
    if plugin is None:
        raise CheckpointError(
            f"{folder} was made by the class {description['class']!r}, which is no plugin; pass it: "
            f"augsynth.load({str(folder)!r}, cls={description['class']})"
        )
    distribution = plugin.rpartition("/")[0]
    try:
        return default_registry().create("generator", plugin, **description["config"])
    except PluginNotFoundError as error:
        raise CheckpointError(
            f"{folder} needs the plugin {plugin} {description['plugin_version']}, which is not installed: "
            f"pip install {distribution} ({error})"
        ) from error
    except PluginError as error:
        raise CheckpointError(f"{folder} needs the plugin {plugin}, which cannot be used: {error}") from error


def _digest(description: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(description, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _file_digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _write_preview(generator: Generator, folder: Path) -> None:
    """``preview.png``, or ``preview.txt`` for texts. Generated samples only: a checkpoint holds no training sample."""
    labels = generator.spec.labels
    topics = getattr(generator.spec, "topics", None)
    wanted: dict[str, Any] = {"n": 8 * _PREVIEW_PER_CLASS}
    if labels is not None:
        wanted = {"labels": [value for value in labels.values[:_PREVIEW_CLASSES] for _ in range(_PREVIEW_PER_CLASS)]}
    elif topics is not None:
        wanted = {"topics": [i for i in range(min(len(topics), _PREVIEW_CLASSES)) for _ in range(_PREVIEW_PER_CLASS)]}
    batch = generator.sample(**wanted, seed=0)
    if generator.modality == "text":
        told = [row["condition"] or row.get("topic") or "text" for row in batch.meta]
        lines = [f"{condition}\t{text}" for condition, text in zip(told, batch.x, strict=True)]
        (folder / f"{PREVIEW}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return
    image_grid(batch.model_x.cpu(), columns=_PREVIEW_PER_CLASS).save(folder / f"{PREVIEW}.png")


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:60]} ... ({len(text):,} characters)"


def _card(generator: Generator) -> str:
    spec, info = generator.spec, generator.fit_info
    if spec is None:
        raise NotFittedError("only a fitted generator has a model card")
    labels = "none (unconditional)" if spec.labels is None else ", ".join(spec.labels.displayed)
    settings = {key: json.dumps(value, ensure_ascii=False) for key, value in sorted(generator.config.items())}
    topics = getattr(spec, "topics", None)
    about = f"\n- Topics: {'; '.join(topics.names)}" if topics is not None else ""
    rows = "\n".join(f"| {key} | {_short(value)} |" for key, value in settings.items())
    health = info.get("warnings") or ["none"]
    return f"""# {generator.plugin or type(generator).__name__}

A generator of synthetic samples, fitted with augsynth {__version__}.

- Samples: {spec.described}
- Classes: {labels}{about}
- Fitted on: {info.get("samples", "?")} samples, fingerprint `{info.get("data_fingerprint", "?")}`
- Fit: {info.get("steps", "?")} steps, {info.get("seconds", "?")} s, seed {info.get("seed", "?")}
- Warnings while fitting: {"; ".join(health)}

| setting | value |
|---|---|
{rows}

```python
import augsynth
gen = augsynth.load("path/to/this/folder")
batch = gen.sample(64, seed=0)
```

The folder holds no training sample. That a generator does not reproduce its training data is not proven by that:
check it against a hold-out before you publish samples of sensitive data.
"""
