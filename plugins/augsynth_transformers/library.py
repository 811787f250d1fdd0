"""The library transformers, wherever it is first needed."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import augsynth
from augsynth import authoring


def import_transformers() -> Any:
    """The library, with a torchvision that it can import. Raises MissingDependencyError."""
    module = authoring.import_optional("transformers", extra="transformers", purpose="pretrained language models")
    with suppress(ModuleNotFoundError):
        augsynth.import_torchvision()  # it imports torchvision, where there is one
    return module
