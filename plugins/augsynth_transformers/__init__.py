"""Pretrained language models: by prompts with real examples, or by a small adapter fitted on the data."""

from collections.abc import Iterator

from augsynth.authoring import GeneratorSpec, hookimpl


@hookimpl
def augsynth_generators() -> Iterator[GeneratorSpec]:
    yield GeneratorSpec(
        name="transformers",
        factory="augsynth_transformers.prompted:Prompted",
        modality="text",
        conditions={"label", "topic"},
        summary="Any causal language model, by prompts with real examples; nothing is trained (model=)",
    )
    yield GeneratorSpec(
        name="lora",
        factory="augsynth_transformers.lora:LoRA",
        modality="text",
        conditions={"label", "topic"},
        summary="Any causal language model with a low-rank adapter fitted on the data (model=)",
    )
