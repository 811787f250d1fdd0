"""Flow matching."""

from collections.abc import Iterator

from augsynth.authoring import GeneratorSpec, TransformSpec, hookimpl


@hookimpl
def augsynth_generators() -> Iterator[GeneratorSpec]:
    yield GeneratorSpec(
        name="flow",
        factory="augsynth_flow.model:Flow",
        modality="image",
        conditions={"label", "multilabel", "number"},
        summary="Flow matching with average velocities: sharp samples in a few steps, variation by partial noising",
    )


@hookimpl
def augsynth_transforms() -> Iterator[TransformSpec]:
    yield TransformSpec(
        name="restore",
        factory="augsynth_flow.transform:Restore",
        modality="image",
        summary="Noise taken out, regions filled in, by a fitted flow (gen=)",
    )
