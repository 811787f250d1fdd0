"""Differentially private generator by mean embeddings."""

from collections.abc import Iterator

from augsynth.authoring import GeneratorSpec, hookimpl


@hookimpl
def augsynth_generators() -> Iterator[GeneratorSpec]:
    yield GeneratorSpec(
        name="merf",
        factory="augsynth_merf.model:MERF",
        modality="any",
        conditions={"label"},
        private=True,
        summary="Matches noisy mean embeddings of each class: differentially private with privacy=, in a minute",
    )
