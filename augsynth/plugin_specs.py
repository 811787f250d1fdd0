"""What a plugin says about itself: frozen descriptions that import nothing heavy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from typing import ClassVar

from augsynth.errors import ConfigError

ANY = "any"
_NAME = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*\Z")
_FACTORY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\Z")
_MODALITY = re.compile(r"([a-z0-9]+([._-][a-z0-9]+)*/)?[a-z0-9]+([._-][a-z0-9]+)*\Z")


@dataclass(frozen=True, kw_only=True)
class PluginSpec:
    """What every kind of plugin declares.

    Args:
        name: short name, lower case: ``"gan"``.
        factory: import string ``"package.module:Name"`` of the class or function; imported at first use.
        modality: name of the kind of data that it is for, or ``"any"``.
        summary: one line for listings.
        extra: the extra that installs what the factory needs, or None.

    Raises:
        ConfigError: a field is not of the stated form.
    """

    kind: ClassVar[str] = ""
    name: str
    factory: str
    modality: str
    summary: str = ""
    extra: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.match(self.name):
            raise ConfigError(
                f"plugin name {self.name!r}: expected lower-case letters and digits, joined by '-', '_' or '.'"
            )
        if not isinstance(self.factory, str) or not _FACTORY.match(self.factory):
            raise ConfigError(f"factory {self.factory!r} of plugin {self.name!r}: expected 'package.module:Name'")
        if not isinstance(self.modality, str) or not _MODALITY.match(self.modality):
            raise ConfigError(
                f"modality {self.modality!r} of plugin {self.name!r}: expected the name of one, or {ANY!r}"
            )


@dataclass(frozen=True, kw_only=True)
class GeneratorSpec(PluginSpec):
    """A generative model. ``conditions`` names what its samples can be conditioned on (``{"label"}``); ``private`` says
    that it can be fitted with ``privacy=``."""

    kind: ClassVar[str] = "generator"
    conditions: Set[str] = field(default_factory=frozenset)
    private: bool = False

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


@dataclass(frozen=True, kw_only=True)
class ModalitySpec(PluginSpec):
    """A kind of data; ``factory`` makes its :class:`augsynth.authoring.Modality`. Its name is its modality."""

    kind: ClassVar[str] = "modality"
    modality: str = ANY

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.modality not in (ANY, self.name):
            raise ConfigError(f"modality {self.modality!r} of the modality {self.name!r}: leave it out")
        if self.name == ANY:
            raise ConfigError(f"a modality named {ANY!r}: that stands for all of them; choose another name")
        object.__setattr__(self, "modality", self.name)


SPEC_OF_HOOK: dict[str, type[PluginSpec]] = {
    "augsynth_generators": GeneratorSpec,
    "augsynth_transforms": TransformSpec,
    "augsynth_filters": FilterSpec,
    "augsynth_metrics": MetricSpec,
    "augsynth_callbacks": CallbackSpec,
    "augsynth_modalities": ModalitySpec,
}
KINDS: tuple[str, ...] = tuple(spec.kind for spec in SPEC_OF_HOOK.values())
