"""Conditional variational autoencoder."""

from collections.abc import Iterator

from augsynth.authoring import GeneratorSpec, hookimpl


@hookimpl
def augsynth_generators() -> Iterator[GeneratorSpec]:
    yield GeneratorSpec(
        name="vae",
        factory="augsynth_vae.model:VAE",
        modality="image",
        conditions={"label", "multilabel", "number"},
        private=True,
        summary="Conditional VAE; samples from a mixture per class, varies real images in latent space",
    )
