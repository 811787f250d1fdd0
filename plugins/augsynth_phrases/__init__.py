"""Phrases of real texts, mixed."""

from collections.abc import Iterator

from augsynth.authoring import GeneratorSpec, hookimpl


@hookimpl
def augsynth_generators() -> Iterator[GeneratorSpec]:
    yield GeneratorSpec(
        name="phrase_mix",
        factory="augsynth_phrases.mix:PhraseMix",
        modality="text",
        conditions={"label"},
        summary="Real texts with a phrase of another one of their class, in the way of SSMix; nothing is trained",
    )
