"""Tiny data, and generators that are fitted on it for a few steps."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import Any

from augsynth.errors import AugsynthWarning
from augsynth.fitting.fit import fit
from augsynth.generator.generator import Generator
from augsynth.modality import Modality
from augsynth.testing.kinds import modality_for, unpacked

CLASSES = 3
_STEPS = 6


def kind_of(generator: Any) -> Modality:
    """The kind of data that a generator is checked with."""
    return modality_for("generator", generator)


def small(generator: Any, *, classes: int = CLASSES, form: str | None = None) -> Any:
    """A small dataset of the right kind."""
    return kind_of(generator).tiny(24, classes=classes, form=form)


@lru_cache(maxsize=32)
def default(generator: Any, classes: int = CLASSES, form: str | None = None) -> Generator:
    """One with the settings that it has by itself; fitted once."""
    return fitted(generator, small(generator, classes=classes, form=form))


def fitted(generator: Any, data: Any, **options: Any) -> Generator:
    """Fitted anew, for a few steps."""
    plugin, settings = unpacked(generator)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AugsynthWarning)  # a few steps on noise may well collapse
        return fit(plugin, data, steps=_STEPS, batch_size=8, progress=False, device="cpu", **settings, **options)
