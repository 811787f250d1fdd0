"""Compositions of albumentations (or albumentationsx)."""

from collections.abc import Iterator

from augsynth.authoring import TransformSpec, hookimpl


@hookimpl
def augsynth_transforms() -> Iterator[TransformSpec]:
    yield TransformSpec(
        name="albumentations",
        factory="augsynth_albumentations.transforms:AlbumentationsTransform",
        modality="image",
        summary="A Compose, as an object or from its YAML or JSON file",
    )
