"""Augmentations of Kornia, for single images and for batches on the training device."""

from collections.abc import Iterator

from augsynth.authoring import TransformSpec, hookimpl


@hookimpl
def augsynth_transforms() -> Iterator[TransformSpec]:
    yield TransformSpec(
        name="kornia",
        factory="augsynth_kornia.transforms:KorniaTransform",
        modality="image",
        summary="Any augmentation of kornia.augmentation, or a list of them; whole batches on a GPU",
        extra="kornia",
    )
