"""The space of a dataset's samples, told from one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from augsynth.sample_spec import SampleSpec
from augsynth.text_spec import TextSpec

Space = SampleSpec | TextSpec


def space_of(x: Any) -> Space:
    """Infer the spec of one input, image or text.

    Raises:
        DataError: it is neither.
    """
    return TextSpec.of_text(x) if isinstance(x, str) else SampleSpec.of_image(x)


def space_from_json(data: Mapping[str, Any]) -> Space:
    """The inverse of a spec's ``to_json``."""
    return TextSpec.from_json(data) if data.get("modality") == "text" else SampleSpec.from_json(data)
