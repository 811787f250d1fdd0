"""Denoising autoencoder."""

from collections.abc import Iterator

from augsynth.authoring import GeneratorSpec, hookimpl


@hookimpl
def augsynth_generators() -> Iterator[GeneratorSpec]:
    yield GeneratorSpec(
        name="autoencoder",
        factory="augsynth_autoencoder.model:Autoencoder",
        modality="image",
        conditions={"label", "multilabel", "number"},
        summary="Denoising autoencoder; samples from a mixture per class, scores outliers",
    )
