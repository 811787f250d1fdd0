"""Compositions of albumentations (or albumentationsx)."""

from collections.abc import Iterator

import augsynth


@augsynth.hookimpl
def augsynth_transforms() -> Iterator[augsynth.TransformSpec]:
    yield augsynth.TransformSpec(
        name="albumentations",
        factory="augsynth_albumentations.transforms:AlbumentationsTransform",
        modality="image",
        summary="A Compose, as an object or from its YAML or JSON file",
    )
