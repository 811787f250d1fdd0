"""Denoising autoencoder."""

from collections.abc import Iterator

import augsynth


@augsynth.hookimpl
def augsynth_generators() -> Iterator[augsynth.GeneratorSpec]:
    yield augsynth.GeneratorSpec(
        name="autoencoder",
        factory="augsynth_autoencoder.model:Autoencoder",
        modality="image",
        conditions={"label"},
        summary="Denoising autoencoder; samples from a mixture per class, scores outliers",
    )
