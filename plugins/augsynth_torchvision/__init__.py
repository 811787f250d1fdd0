"""Transforms of torchvision."""

from collections.abc import Iterator

import augsynth


@augsynth.hookimpl
def augsynth_transforms() -> Iterator[augsynth.TransformSpec]:
    def spec(name: str, factory: str, summary: str) -> augsynth.TransformSpec:
        return augsynth.TransformSpec(
            name=name, factory=f"augsynth_torchvision.transforms:{factory}", modality="image", summary=summary
        )

    yield spec("torchvision", "TorchvisionTransform", "Any transform of torchvision.transforms.v2, or a list of them")
    yield spec("autoaugment", "auto_augment", "AutoAugment (Cubuk et al. 2019)")
    yield spec("randaugment", "rand_augment", "RandAugment (Cubuk et al. 2020)")
    yield spec("augmix", "aug_mix", "AugMix (Hendrycks et al. 2020)")
