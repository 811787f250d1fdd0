"""Transforms of torchvision."""

from collections.abc import Iterator

from augsynth.authoring import TransformSpec, hookimpl


@hookimpl
def augsynth_transforms() -> Iterator[TransformSpec]:
    def spec(name: str, factory: str, summary: str) -> TransformSpec:
        return TransformSpec(
            name=name, factory=f"augsynth_torchvision.transforms:{factory}", modality="image", summary=summary
        )

    yield spec("torchvision", "TorchvisionTransform", "Any transform of torchvision.transforms.v2, or a list of them")
    yield spec("autoaugment", "auto_augment", "AutoAugment (Cubuk et al. 2019)")
    yield spec("randaugment", "rand_augment", "RandAugment (Cubuk et al. 2020)")
    yield spec("augmix", "aug_mix", "AugMix (Hendrycks et al. 2020)")
