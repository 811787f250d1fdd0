"""augsynth: synthetic samples for PyTorch, blended into the DataLoader that you already use.

Names are imported at first use, so that ``import augsynth`` (and with it every plugin's listing) costs next to
nothing. ``_EXPORTS`` says where each public name lives.
"""

from __future__ import annotations

import importlib
from typing import Any

from augsynth._version import __version__ as __version__

_EXPORTS = {
    "augsynth._rng_guard": ("seeded_globals",),
    "augsynth._optional": ("import_optional", "import_torchvision"),
    "augsynth.batch": ("SampleBatch", "samples_by_class"),
    "augsynth.blending.dataset": ("SyntheticDataset",),
    "augsynth.blending.device": ("DeviceBlend",),
    "augsynth.blending.iterable": ("SyntheticIterableDataset",),
    "augsynth.blending.ratio": ("CosineSchedule", "LinearSchedule"),
    "augsynth.callbacks": ("Callback",),
    "augsynth.checkpoint": ("load",),
    "augsynth.cleaning": ("CleaningReport", "clean"),
    "augsynth.errors": (
        "AmbiguousPluginError",
        "AugsynthError",
        "AugsynthWarning",
        "BrokenPluginError",
        "CapabilityError",
        "CheckpointError",
        "CollapseWarning",
        "ConfigError",
        "DataError",
        "EpochWarning",
        "FilterExhaustedError",
        "FitError",
        "FitWarning",
        "MissingDependencyError",
        "NotFittedError",
        "PluginError",
        "PluginNotFoundError",
        "PluginWarning",
        "PoolError",
        "SpecMismatchError",
        "TopicMatchWarning",
        "UnknownLabelError",
        "UnknownTopicError",
    ),
    "augsynth.evaluation": ("Evaluation", "Figure", "evaluate"),
    "augsynth.evaluation.judge": ("Judge",),
    "augsynth.fitting": ("fit",),
    "augsynth.gate": ("UtilityGate",),
    "augsynth.generator": ("Generator", "TrainingBatch"),
    "augsynth.hooks": ("hookimpl",),
    "augsynth.grids": ("image_grid",),
    "augsynth.latent": ("LatentGenerator",),
    "augsynth.networks": ("ConvDecoder", "ConvEncoder", "base_size"),
    "augsynth.pool": ("SamplePool",),
    "augsynth.presets": ("latent_presets",),
    "augsynth.registry": ("PluginInfo", "Registry", "create", "plugins"),
    "augsynth.sample_spec": ("SampleSpec",),
    "augsynth.search_space": ("Choice", "FloatRange", "IntRange", "SearchSpace"),
    "augsynth.seeding": ("derive", "noise", "uniform"),
    "augsynth.text_spec": ("TextSpec",),
    "augsynth.topic_spec": ("TopicSpec",),
    "augsynth.transforms.base": ("Transform", "child_seed"),
    "augsynth.transforms.named": ("transforms_of",),
    "augsynth.transforms.text": ("TextTransform",),
    "augsynth.tuning": ("Tuning", "tune"),
    "augsynth.utility": ("Uplift", "standard_arms", "tune_classic", "uplift"),
    "augsynth.specs": ("CallbackSpec", "FilterSpec", "GeneratorSpec", "MetricSpec", "TransformSpec"),
}
_MODULES = ("topics",)
_HOME = {name: module for module, names in _EXPORTS.items() for name in names}
__all__ = sorted([*_HOME, *_MODULES, "__version__"])


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"augsynth.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'augsynth' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
