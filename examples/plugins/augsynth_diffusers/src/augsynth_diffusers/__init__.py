"""Pictures of a pretrained diffusion pipeline."""

from collections.abc import Iterator

from augsynth.authoring import GeneratorSpec, hookimpl


@hookimpl
def augsynth_generators() -> Iterator[GeneratorSpec]:
    yield GeneratorSpec(
        name="diffusers",
        factory="augsynth_diffusers.generator:Diffusers",
        modality="image",
        conditions={"label"},
        summary="Any pipeline of diffusers, by a prompt for each class; varies by image to image (pipeline=)",
    )
