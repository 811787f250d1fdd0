"""augsynth: synthetic samples for PyTorch, blended into the DataLoader that you already use.

Names are imported at first use, so that ``import augsynth`` (and with it every plugin's listing) costs next to
nothing. ``_EXPORTS`` says where each public name lives; what authors of plugins need besides is in
:mod:`augsynth.authoring`.
"""

from __future__ import annotations

import importlib
from typing import Any

from augsynth._lazy import homes_of, importer
from augsynth._version import __version__ as __version__

_EXPORTS = {
    "augsynth._optional": ("import_torchvision",),
    "augsynth.annotating.annotate": ("annotate",),
    "augsynth.annotating.annotation": ("Annotation",),
    "augsynth.batch": ("SampleBatch", "samples_by_class"),
    "augsynth.blending.dataset": ("SyntheticDataset",),
    "augsynth.blending.device": ("DeviceBlend",),
    "augsynth.blending.iterable": ("SyntheticIterableDataset",),
    "augsynth.blending.loader": ("loader",),
    "augsynth.blending.ratio": ("CosineSchedule", "LinearSchedule"),
    "augsynth.blending.stacked": ("collate",),
    "augsynth.callbacks": ("Callback",),
    "augsynth.datasets.named": ("open_dataset",),
    "augsynth.errors": (
        "AmbiguousPluginError",
        "AugsynthDeprecationWarning",
        "AugsynthError",
        "AugsynthWarning",
        "BrokenPluginError",
        "CapabilityError",
        "CheckpointError",
        "CollapseWarning",
        "ConfigError",
        "ConversionWarning",
        "CostWarning",
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
        "PrivacyViolationError",
        "PrivacyWarning",
        "ResizeWarning",
        "SpecMismatchError",
        "TopicMatchWarning",
        "UnknownLabelError",
        "UnknownTopicError",
    ),
    "augsynth.evaluation.auditing.audit": ("audit",),
    "augsynth.evaluation.auditing.canaries": ("Canaries", "plant_canaries"),
    "augsynth.evaluation.auditing.result": ("Audit",),
    "augsynth.evaluation.evaluate": ("evaluate",),
    "augsynth.evaluation.figures": ("Figure",),
    "augsynth.evaluation.judge": ("Judge",),
    "augsynth.evaluation.result": ("Evaluation",),
    "augsynth.fitting.distilling": ("distill",),
    "augsynth.fitting.fit": ("fit",),
    "augsynth.gate": ("UtilityGate",),
    "augsynth.generator.generator": ("Generator",),
    "augsynth.loading": ("load",),
    "augsynth.modalities.image.grids": ("image_grid",),
    "augsynth.modalities.text.cleaning": ("CleaningReport", "clean"),
    "augsynth.modalities.text.embedding_classifier": ("EmbeddingClassifier",),
    "augsynth.pool.sample_pool": ("SamplePool",),
    "augsynth.preparing.findings": ("Finding", "Preparation"),
    "augsynth.preparing.prepare": ("prepare",),
    "augsynth.privacy.budget": ("Privacy",),
    "augsynth.recipe.run": ("run_recipe",),
    "augsynth.recording.reading": ("recorded",),
    "augsynth.recording.generating": ("generate",),
    "augsynth.recording.writing": ("record",),
    "augsynth.registry": ("PluginInfo", "Registry", "create", "plugins"),
    "augsynth.sample_spec": ("SampleSpec",),
    "augsynth.tuning.result": ("Tuning",),
    "augsynth.tuning.tune": ("tune",),
    "augsynth.utility.arms": ("standard_arms",),
    "augsynth.utility.classic": ("tune_classic",),
    "augsynth.utility.result": ("Uplift",),
    "augsynth.utility.uplift": ("uplift",),
}
# what the contract spells here, and only authors need: found, and not listed
_AUTHORS_TOO = {
    "augsynth.hooks": ("hookimpl",),
    "augsynth.plugin_specs": (
        "CallbackSpec",
        "FilterSpec",
        "GeneratorSpec",
        "MetricSpec",
        "ModalitySpec",
        "TransformSpec",
    ),
    "augsynth.seeding": ("noise", "uniform"),
}
_MODULES = {"topics": "augsynth.modalities.text.topics"}
_HOME, _UNLISTED = homes_of(_EXPORTS), homes_of(_AUTHORS_TOO)
_named = importer(__name__, globals(), _HOME | _UNLISTED)
__all__ = sorted([*_HOME, *_MODULES, "__version__"])


def __getattr__(name: str) -> Any:
    if name in _MODULES or name == "authoring":
        return importlib.import_module(_MODULES.get(name, "augsynth.authoring"))
    return _named(name)


def __dir__() -> list[str]:
    return list(__all__)
