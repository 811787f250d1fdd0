"""Conditional variational autoencoder."""

import augsynth


@augsynth.hookimpl
def augsynth_generators():
    yield augsynth.GeneratorSpec(
        name="vae",
        factory="augsynth_vae.model:VAE",
        modality="image",
        conditions={"label"},
        summary="Conditional VAE; samples from a mixture per class, varies real images in latent space",
    )
