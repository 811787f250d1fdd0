"""Conditional generative adversarial network."""

from collections.abc import Iterator

from augsynth.authoring import GeneratorSpec, hookimpl


@hookimpl
def augsynth_generators() -> Iterator[GeneratorSpec]:
    yield GeneratorSpec(
        name="gan",
        factory="augsynth_gan.model:GAN",
        modality="image",
        conditions={"label"},
        summary="SNGAN with projection discriminator, differentiable augmentation and averaged weights",
    )
