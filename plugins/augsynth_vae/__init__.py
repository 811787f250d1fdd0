"""Conditional variational autoencoder."""

from collections.abc import Iterator

import augsynth


@augsynth.hookimpl
def augsynth_generators() -> Iterator[augsynth.GeneratorSpec]:
    yield augsynth.GeneratorSpec(
        name="vae",
        factory="augsynth_vae.model:VAE",
        modality="image",
        conditions={"label"},
        summary="Conditional VAE; samples from a mixture per class, varies real images in latent space",
    )
