"""Image enhancement of Pillow."""

import augsynth


@augsynth.hookimpl
def augsynth_transforms():
    yield augsynth.TransformSpec(
        name="pillow",
        factory="augsynth_pillow.transforms:Pillow",
        modality="image",
        summary="Sharpness, contrast and autocontrast",
    )
