"""Codes of images, and a transformer that writes them."""

from collections.abc import Iterator

from augsynth.authoring import GeneratorSpec, hookimpl


@hookimpl
def augsynth_generators() -> Iterator[GeneratorSpec]:
    yield GeneratorSpec(
        name="vqvae",
        factory="augsynth_vqvae.model:VQVAE",
        modality="image",
        conditions={"label", "multilabel", "number"},
        summary="VQ-VAE with a causal transformer over its codes: photographs up to 256 pixels",
    )
