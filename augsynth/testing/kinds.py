"""The kind of data that a plugin is checked with, and tiny data of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from augsynth.blending.compatibility import check_alike
from augsynth.errors import SpecMismatchError
from augsynth.fitting.training_data import TrainingData
from augsynth.modality import Modality
from augsynth.plugin_specs import ANY
from augsynth.recognition import modality_named
from augsynth.registry import default_registry


@dataclass(frozen=True, eq=False)
class Configured:
    """A plugin with settings of its own, where its defaults will not do.

    Args:
        plugin: name of an installed plugin, or a class or factory.
        settings: what it is made with.
    """

    plugin: Any
    settings: Mapping[str, Any]


def unpacked(subject: Any) -> tuple[Any, dict[str, Any]]:
    """The plugin that is checked, and its settings."""
    return (subject.plugin, dict(subject.settings)) if isinstance(subject, Configured) else (subject, {})


def made(kind: str, subject: Any, **config: Any) -> Any:
    """The plugin's product: by name, or by a class or factory."""
    plugin, settings = unpacked(subject)
    settings |= config
    return default_registry().create(kind, plugin, **settings) if isinstance(plugin, str) else plugin(**settings)


def modality_for(kind: str, subject: Any) -> Modality:
    """The modality of a plugin given by name, or of a class or object with an attribute ``modality``. One for any kind
    is checked with the first there is."""
    plugin, _ = unpacked(subject)
    named = getattr(plugin, "modality", ANY)
    if isinstance(plugin, str):
        registry = default_registry()
        qualified = registry.qualified_name(kind, plugin)
        named = next(i.modality for i in registry.plugins() if (i.kind, i.qualified) == (kind, qualified))
    if named == ANY:
        return next(one for one in default_registry().modalities()[0] if one.spec_type.tensors)
    return modality_named(named)


def in_another_kind(modality: Modality, n: int) -> Any:
    """Tiny data of a kind that is not ``modality``, or None where there is no other."""
    others = (one for one in default_registry().modalities()[0] if one.qualified != modality.qualified)
    return next((one.tiny(n) for one in others if one.spec_type.tensors != modality.spec_type.tensors), None)


def inputs(modality: Modality, n: int, form: str | None = None) -> list[Any]:
    """n bare inputs of a form."""
    data = modality.tiny(n, classes=0, form=form)
    return [data[i] for i in range(n)]


def as_seen(modality: Modality, n: int, *, seed: int = 0) -> Any:
    """n tiny samples as generators see them."""
    return TrainingData.read(modality.tiny(n, classes=0, seed=seed), modality=modality.qualified, show=False).model_x()


def equal(a: Any, b: Any) -> bool:
    """Whether two are the same to the last bit: tensors, lists, or single samples."""
    return torch.equal(a, b) if isinstance(a, Tensor) else bool(a == b)


def close(a: Any, b: Any, tolerance: float) -> bool:
    """Equal but for what other batch shapes change in float32 arithmetic."""
    if isinstance(a, Tensor):
        return bool((a - b).abs().max() < tolerance)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(close(a[key], b[key], tolerance) for key in a)
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance)
    return bool(a == b)


def assert_alike(real: Any, made: Any, what: str, *, ragged: bool) -> None:
    """Raise an AssertionError unless ``made`` would collate with ``real``."""
    try:
        check_alike(real, made, what, ragged=ragged)
    except SpecMismatchError as error:
        told = str(error).removeprefix("after the transforms, ").split(";")[0]
        raise AssertionError(f"{told}: the two would not stand in one batch") from error
