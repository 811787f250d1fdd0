"""Load a checkpoint: the plugin comes from those installed, and nothing in the folder is executed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from augsynth._device import chosen_device
from augsynth._names import name_of
from augsynth.checkpoint.format import DESCRIPTION, WEIGHTS, description_of, existing, file_digest
from augsynth.errors import AugsynthError, CheckpointError, ConfigError, PluginError, PluginNotFoundError
from augsynth.generator.core import keywords
from augsynth.generator.generator import Generator
from augsynth.hub import PREFIX, fetched
from augsynth.recognition import modality_named
from augsynth.registry import default_registry
from augsynth.sample_spec import SampleSpec


def load(path: str | Path, *, device: str | torch.device = "cpu", cls: type[Generator] | None = None) -> Generator:
    """Load a generator from a checkpoint folder.

    The plugin is taken from those installed; nothing in the folder is executed.

    Args:
        path: folder written by :meth:`augsynth.Generator.save`; or ``"hf:owner/name"`` on the Hugging Face Hub, with
            ``@revision`` for a certain one (the extra ``hub``).
        device: where to put it; ``"auto"`` takes a GPU if there is one.
        cls: class to use in place of an installed plugin, for a generator of your own that is not packaged.

    Raises:
        CheckpointError: missing, truncated, tampered with, of a newer format, or of a plugin that is not installed
            (the message names the distribution to install).
    """
    folder = existing(fetched(str(path)) if str(path).startswith(PREFIX) else Path(path))
    description = description_of(folder)
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise CheckpointError(f"{folder} is incomplete: {WEIGHTS} is missing; save the generator again")
    if file_digest(weights) != description["sha256"].get(WEIGHTS):
        raise CheckpointError(
            f"{weights} is not the file that was saved (truncated, or changed since): its SHA-256 differs from the "
            f"one in {DESCRIPTION}; restore the folder from where you copied it"
        )
    generator = _make(folder, description, cls)
    try:
        spec = stored_spec(folder, description["spec"])
        _check_sizes(_make(folder, description, cls), spec, weights)
        generator.prepare(spec)
        generator.drop_training_modules()
        generator.load_state_dict(load_file(weights))
    except ConfigError as error:  # a setting of it, or what it refers to, such as a base model that is elsewhere
        raise CheckpointError(f"{folder} cannot be used: {error}") from error
    except AugsynthError:
        raise
    except (SafetensorError, RuntimeError, KeyError, TypeError, ValueError, AttributeError, MemoryError) as error:
        raise CheckpointError(
            f"{folder} does not fit {name_of(generator)} {generator.plugin_version or ''}: "
            f"it was saved with version {description.get('plugin_version')}; {error}"
        ) from error
    generator.fit_info = description["fit"]
    generator.checkpoint_id = description["sha256"][WEIGHTS][:12]
    return generator.to(chosen_device(device)).eval()


def _make(folder: Path, description: dict[str, Any], cls: type[Generator] | None) -> Generator:
    plugin = description["plugin"]
    if cls is not None:
        try:
            generator = cls(**description["config"])
        except (ConfigError, TypeError) as error:
            raise CheckpointError(f"{folder} has settings that {cls.__name__} does not take: {error}") from error
        generator.plugin = plugin
        return _as_saved(generator)
    if plugin is None:
        raise CheckpointError(
            f"{folder} was made by the class {description['class']!r}, which is no plugin; pass it: "
            f"augsynth.load({str(folder)!r}, cls={description['class']})"
        )
    distribution = plugin.rpartition("/")[0]
    try:
        made: Generator = default_registry().create("generator", plugin, **description["config"])
        return _as_saved(made)
    except PluginNotFoundError as error:
        raise CheckpointError(
            f"{folder} needs the plugin {plugin} {description['plugin_version']}, which is not installed: "
            f"pip install {distribution} ({error})"
        ) from error
    except PluginError as error:
        raise CheckpointError(f"{folder} needs the plugin {plugin}, which cannot be used: {error}") from error
    except (ConfigError, TypeError) as error:
        raise CheckpointError(f"{folder} has settings that {plugin} does not take: {error}") from error


def _as_saved(generator: Generator) -> Generator:
    """Give settings that are newer than the checkpoint the defaults of ``build``: presets are advice for a new fit."""
    generator.config = {**(keywords(type(generator).build) or {}), **generator.config}
    return generator


def stored_spec(folder: Path | str, data: dict[str, Any]) -> SampleSpec:
    """The spec of the samples, by the modality that it names."""
    name = data.get("modality")
    try:
        modality = modality_named(str(name))
    except ConfigError as error:
        raise CheckpointError(f"{folder} holds samples of the modality {str(name)[:80]!r}: {error}") from error
    return modality.spec_type.from_json({**data, "modality": modality.qualified})


def _check_sizes(twin: Generator, spec: SampleSpec, weights: Path) -> None:
    """Raise a ValueError unless the networks that ``spec`` and settings ask for are as large as the file: a number that
    was tampered with must not take all memory.

    They are built without memory on torch's ``meta`` device; networks that cannot be are not checked.
    """
    with safe_open(str(weights), framework="pt") as file:
        stored = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 - no mapping
    try:
        with torch.device("meta"):
            twin.prepare(spec)
            twin.drop_training_modules()
    except (NotImplementedError, RuntimeError):
        return
    for name, tensor in twin.inference_state().items():
        if stored.get(name) != tuple(tensor.shape):
            raise ValueError(
                f"{name} has shape {stored.get(name, 'none')} in {weights.name}, and the settings ask for "
                f"{tuple(tensor.shape)}"
            )
