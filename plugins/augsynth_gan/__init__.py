"""Conditional generative adversarial network."""

from collections.abc import Iterator

import augsynth


@augsynth.hookimpl
def augsynth_generators() -> Iterator[augsynth.GeneratorSpec]:
    yield augsynth.GeneratorSpec(
        name="gan",
        factory="augsynth_gan.model:GAN",
        modality="image",
        conditions={"label"},
        summary="SNGAN with projection discriminator, differentiable augmentation and averaged weights",
    )
