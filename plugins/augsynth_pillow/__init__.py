"""Image enhancement of Pillow."""

from collections.abc import Iterator

import augsynth


@augsynth.hookimpl
def augsynth_transforms() -> Iterator[augsynth.TransformSpec]:
    yield augsynth.TransformSpec(
        name="pillow",
        factory="augsynth_pillow.transforms:Pillow",
        modality="image",
        summary="Sharpness, contrast and autocontrast",
    )
