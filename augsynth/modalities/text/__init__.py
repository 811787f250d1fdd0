"""Texts."""

from collections.abc import Iterator

from augsynth.hooks import hookimpl
from augsynth.plugin_specs import ModalitySpec


@hookimpl
def augsynth_modalities() -> Iterator[ModalitySpec]:  # noqa: D103 - a hook
    yield ModalitySpec(
        name="text",
        factory="augsynth.modalities.text.modality:TextModality",
        summary="Strings, by label and by topic",
    )
