"""Pretrained language models: by prompts with real examples, by a small adapter fitted on the data, and rewriting."""

from collections.abc import Iterator

from augsynth.authoring import GeneratorSpec, TransformSpec, hookimpl

_BY = {"label", "topic"}
_GENERATORS = {
    "transformers": (
        "augsynth_transformers.prompted:Prompted",
        "Any causal language model, by prompts with real examples (model=)",
    ),
    "lora": (
        "augsynth_transformers.lora:LoRA",
        "Any causal language model with a low-rank adapter fitted on the data (model=)",
    ),
}
_TRANSFORMS = {
    "paraphrase": ("paraphrase:Paraphrase", "A text in other words, by any causal language model (model=)"),
    "contextual": ("contextual:Contextual", "Words by others that a masked language model finds likely (model=)"),
    "back_translation": ("translation:BackTranslation", "Through another language, by any models (there=, back=)"),
}


@hookimpl
def augsynth_generators() -> Iterator[GeneratorSpec]:
    for name, (at, told) in _GENERATORS.items():
        yield GeneratorSpec(
            name=name, factory=at, modality="text", conditions=_BY, private=name == "lora", summary=told
        )


@hookimpl
def augsynth_transforms() -> Iterator[TransformSpec]:
    for name, (at, told) in _TRANSFORMS.items():
        yield TransformSpec(name=name, factory=f"augsynth_transformers.{at}", summary=told, modality="text")
