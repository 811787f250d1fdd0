"""A VAE whose images a discriminator looks at."""

from collections.abc import Iterator

from augsynth.authoring import GeneratorSpec, hookimpl


@hookimpl
def augsynth_generators() -> Iterator[GeneratorSpec]:
    yield GeneratorSpec(
        name="vaegan",
        factory="augsynth_vaegan.model:VAEGAN",
        modality="image",
        conditions={"label", "multilabel", "number"},
        summary="VAE/GAN: a VAE with learned similarity, sharper than a VAE, with its latent space",
    )
