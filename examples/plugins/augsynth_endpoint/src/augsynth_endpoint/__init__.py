"""Texts of a language model behind an OpenAI-compatible server."""

from collections.abc import Iterator

from augsynth.authoring import GeneratorSpec, hookimpl


@hookimpl
def augsynth_generators() -> Iterator[GeneratorSpec]:
    yield GeneratorSpec(
        name="endpoint",
        factory="augsynth_endpoint.generator:Endpoint",
        modality="text",
        conditions={"label"},
        summary="Any OpenAI-compatible server, by prompts with real examples (url=, model=)",
    )
