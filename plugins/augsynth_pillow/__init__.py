"""Image enhancement of Pillow."""

from collections.abc import Iterator

from augsynth.authoring import TransformSpec, hookimpl


@hookimpl
def augsynth_transforms() -> Iterator[TransformSpec]:
    yield TransformSpec(
        name="pillow",
        factory="augsynth_pillow.transforms:Pillow",
        modality="image",
        summary="Sharpness, contrast and autocontrast",
    )
