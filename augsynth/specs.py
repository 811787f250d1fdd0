"""What a plugin says about itself: frozen descriptions that import nothing heavy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from augsynth.errors import ConfigError

Modality = Literal["image", "text", "any"]
_NAME = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*\Z")
_FACTORY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\Z")
_MODALITIES = ("image", "text", "any")


@dataclass(frozen=True, kw_only=True)
class PluginSpec:
    """What every kind of plugin declares.

    Args:
        name: short name, lower case: ``"gan"``.
        factory: import string ``"package.module:Name"`` of the class or function; imported at first use.
        modality: ``"image"``, ``"text"``, or ``"any"`` for what serves both.
        summary: one line for listings.
        extra: the extra that installs what the factory needs, or None.

    Raises:
        ConfigError: a field is not of the stated form.
    """

    kind: ClassVar[str] = ""
    name: str
    factory: str
    modality: Modality
    summary: str = ""
    extra: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.match(self.name):
            raise ConfigError(
                f"plugin name {self.name!r}: expected lower-case letters and digits, joined by '-', '_' or '.'"
            )
        if not isinstance(self.factory, str) or not _FACTORY.match(self.factory):
            raise ConfigError(f"factory {self.factory!r} of plugin {self.name!r}: expected 'package.module:Name'")
        if self.modality not in _MODALITIES:
            raise ConfigError(f"modality {self.modality!r} of plugin {self.name!r}: expected one of {_MODALITIES}")


@dataclass(frozen=True, kw_only=True)
class GeneratorSpec(PluginSpec):
    """A generative model. ``conditions`` names what its samples can be conditioned on (``{"label"}``)."""

    kind: ClassVar[str] = "generator"
    conditions: Set[str] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.conditions, str) or not isinstance(self.conditions, Iterable):
            raise ConfigError(f"conditions {self.conditions!r} of plugin {self.name!r}: expected a set of names")
        object.__setattr__(self, "conditions", frozenset(self.conditions))


@dataclass(frozen=True, kw_only=True)
class TransformSpec(PluginSpec):
    """A label-preserving operation on one sample."""

    kind: ClassVar[str] = "transform"


@dataclass(frozen=True, kw_only=True)
class FilterSpec(PluginSpec):
    """A judge that rejects generated samples."""

    kind: ClassVar[str] = "filter"


@dataclass(frozen=True, kw_only=True)
class MetricSpec(PluginSpec):
    """A measure of generated samples against real ones."""

    kind: ClassVar[str] = "metric"


@dataclass(frozen=True, kw_only=True)
class CallbackSpec(PluginSpec):
    """A listener to fitting."""

    kind: ClassVar[str] = "callback"


SPEC_OF_HOOK: dict[str, type[PluginSpec]] = {
    "augsynth_generators": GeneratorSpec,
    "augsynth_transforms": TransformSpec,
    "augsynth_filters": FilterSpec,
    "augsynth_metrics": MetricSpec,
    "augsynth_callbacks": CallbackSpec,
}
KINDS: tuple[str, ...] = tuple(spec.kind for spec in SPEC_OF_HOOK.values())
