"""Flow matching."""

from collections.abc import Iterator

from augsynth.authoring import GeneratorSpec, hookimpl


@hookimpl
def augsynth_generators() -> Iterator[GeneratorSpec]:
    yield GeneratorSpec(
        name="flow",
        factory="augsynth_flow.model:Flow",
        modality="image",
        conditions={"label", "multilabel", "number"},
        summary="Flow matching with average velocities: sharp samples in a few steps, variation by partial noising",
    )
