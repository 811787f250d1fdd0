"""Every error and warning that augsynth raises, drawn once.

::

    AugsynthError
    ├── ConfigError (ValueError)            a value that you passed cannot be used
    │   ├── UnknownLabelError               a class that does not exist; the message lists those that do
    │   └── UnknownTopicError               the same for a topic
    ├── DataError (ValueError)              the data is not what is needed
    │   └── SpecMismatchError               two things that must agree do not: generator and dataset
    ├── PluginError                         a plugin cannot be used
    │   ├── PluginNotFoundError (KeyError)  no plugin of that name; the message has the nearest ones
    │   ├── AmbiguousPluginError            several distributions offer that name
    │   └── BrokenPluginError               it is installed, but failed to load or to keep its contract
    ├── MissingDependencyError (ImportError) an optional package is not installed; names the extra
    ├── CapabilityError (TypeError)         the generator does not offer this operation
    ├── NotFittedError                      used before ``fit`` or ``load``
    ├── FitError (RuntimeError)             fitting could not go on
    ├── CheckpointError                     a checkpoint is missing, truncated, tampered with or foreign
    ├── PrivacyViolationError (RuntimeError) a generator gives away more than its fit promised
    ├── PoolError (RuntimeError)            the producer of a pool failed, or did not come in time
    └── FilterExhaustedError (RuntimeError) the filters reject nearly everything that is generated

    AugsynthWarning (UserWarning)
    ├── AugsynthDeprecationWarning (FutureWarning) it will go; says what to use instead
    ├── PluginWarning                       a plugin was left out
    ├── EpochWarning                        a seeded blend is read again without ``set_epoch``
    ├── CollapseWarning                     the samples of a class are nearly identical
    ├── FitWarning                          fitting ended early, or rolled back
    ├── PrivacyWarning                      a promise of privacy holds for fewer people than it may seem
    ├── CostWarning                         something costs money or a long wait that need not
    ├── TopicMatchWarning                   free words were taken for a topic; says for which
    └── ConversionWarning                   samples were changed while they were read; says how
        └── ResizeWarning                   they were brought to another size; says from what to what
"""

from __future__ import annotations

from typing import Any


class AugsynthError(Exception):
    """Base class of all errors that augsynth raises on purpose."""


class ConfigError(AugsynthError, ValueError):
    """A value that the caller passed cannot be used."""


class UnknownLabelError(ConfigError):
    """A class that does not exist was named."""


class UnknownTopicError(ConfigError):
    """A topic that does not exist was named."""


class DataError(AugsynthError, ValueError):
    """The data is not what is needed: empty, unreadable, or of a form not understood."""


class SpecMismatchError(DataError):
    """A generator and a dataset (or a sample) do not agree in shape, type, range or labels."""


class PluginError(AugsynthError):
    """A plugin cannot be used."""


class PluginNotFoundError(PluginError, KeyError):
    """No plugin of that name is installed."""

    def __str__(self) -> str:  # KeyError would show the repr of the message
        return str(self.args[0]) if self.args else ""


class AmbiguousPluginError(PluginError):
    """Several distributions offer a plugin of that name."""


class BrokenPluginError(PluginError):
    """A plugin is installed but failed to load, or does not keep its contract."""


class MissingDependencyError(AugsynthError, ImportError):
    """An optional package is not installed."""


class CapabilityError(AugsynthError, TypeError):
    """The generator does not offer the requested operation."""


class NotFittedError(AugsynthError):
    """A generator was used before it was fitted or loaded."""


class FitError(AugsynthError, RuntimeError):
    """Fitting could not go on."""


class CheckpointError(AugsynthError):
    """A checkpoint is missing, truncated, tampered with, or of a plugin that is not installed."""


class PoolError(AugsynthError, RuntimeError):
    """The producer of a pool failed, or nothing came from it in time."""


class PrivacyViolationError(AugsynthError, RuntimeError):
    """A generator gives away more than its fit promised; ``audit`` has the figures."""

    def __init__(self, told: str, audit: Any = None) -> None:
        super().__init__(told)
        self.audit = audit

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.args[0], self.audit)


class FilterExhaustedError(AugsynthError, RuntimeError):
    """The filters reject nearly all generated samples."""


class AugsynthWarning(UserWarning):
    """Base class of all warnings."""


class AugsynthDeprecationWarning(AugsynthWarning, FutureWarning):
    """Something public will go: it still works, and the message says what to use instead."""


class PluginWarning(AugsynthWarning):
    """A plugin was left out because it is broken or incompatible."""


class EpochWarning(AugsynthWarning):
    """A seeded dataset is read for another epoch without ``set_epoch``."""


class CollapseWarning(AugsynthWarning):
    """The generated samples of a class are nearly identical."""


class FitWarning(AugsynthWarning):
    """Fitting ended early or was rolled back."""


class PrivacyWarning(AugsynthWarning):
    """A promise of privacy holds for fewer people than it may seem."""


class CostWarning(AugsynthWarning):
    """Something costs money or a long wait that need not, such as samples of a paid server, asked for every epoch."""


class TopicMatchWarning(AugsynthWarning):
    """Free words were taken for a topic; the message says for which."""


class ConversionWarning(AugsynthWarning):
    """Samples were changed while they were read: turned, brought to another mode, left out; the message says which."""


class ResizeWarning(ConversionWarning):
    """Samples were brought to another size or rate than they have; the message says from what to what."""
