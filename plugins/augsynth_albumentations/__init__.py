"""Compositions of albumentations (or albumentationsx)."""

import augsynth


@augsynth.hookimpl
def augsynth_transforms():
    yield augsynth.TransformSpec(
        name="albumentations",
        factory="augsynth_albumentations.transforms:AlbumentationsTransform",
        modality="image",
        summary="A Compose, as an object or from its YAML or JSON file",
    )
