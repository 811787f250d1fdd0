"""The hooks that a plugin may implement. None takes arguments; each yields frozen specs."""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from augsynth.plugin_specs import CallbackSpec, FilterSpec, GeneratorSpec, MetricSpec, ModalitySpec, TransformSpec

PROJECT = "augsynth"
ENTRY_POINT_GROUP = "augsynth"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def augsynth_generators() -> Iterable[GeneratorSpec]:
    """Yield the generators of this plugin."""
    raise NotImplementedError


@hookspec
def augsynth_transforms() -> Iterable[TransformSpec]:
    """Yield the transforms of this plugin."""
    raise NotImplementedError


@hookspec
def augsynth_filters() -> Iterable[FilterSpec]:
    """Yield the filters of this plugin."""
    raise NotImplementedError


@hookspec
def augsynth_metrics() -> Iterable[MetricSpec]:
    """Yield the metrics of this plugin."""
    raise NotImplementedError


@hookspec
def augsynth_callbacks() -> Iterable[CallbackSpec]:
    """Yield the callbacks of this plugin."""
    raise NotImplementedError


@hookspec
def augsynth_modalities() -> Iterable[ModalitySpec]:
    """Yield the kinds of data of this plugin."""
    raise NotImplementedError
