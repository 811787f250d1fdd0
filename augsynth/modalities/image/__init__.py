"""Images."""

from collections.abc import Iterator

from augsynth.hooks import hookimpl
from augsynth.plugin_specs import ModalitySpec


@hookimpl
def augsynth_modalities() -> Iterator[ModalitySpec]:  # noqa: D103 - a hook
    yield ModalitySpec(
        name="image",
        factory="augsynth.modalities.image.modality:ImageModality",
        summary="PIL images, arrays and tensors of 1 to 4 channels, with what lies in them",
    )
