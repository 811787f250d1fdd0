"""Pretrained language models: by prompts with real examples, by a small adapter fitted on the data, and rewriting."""

from collections.abc import Iterator

from augsynth.authoring import GeneratorSpec, TransformSpec, hookimpl

_AT, _BY = "augsynth_transformers.", {"label", "topic"}
_GENERATORS = {
    "transformers": ("prompted:Prompted", "Any causal language model, by prompts with real examples (model=)", False),
    "lora": ("lora:LoRA", "Any causal language model with a low-rank adapter fitted on the data (model=)", True),
}
_TRANSFORMS = {
    "paraphrase": ("paraphrase:Paraphrase", "A text in other words, by any causal language model (model=)"),
    "contextual": ("contextual:Contextual", "Words by others that a masked language model finds likely (model=)"),
    "back_translation": ("translation:BackTranslation", "Through another language, by any models (there=, back=)"),
}


@hookimpl
def augsynth_generators() -> Iterator[GeneratorSpec]:
    for name, (at, told, own) in _GENERATORS.items():
        yield GeneratorSpec(name=name, factory=_AT + at, modality="text", conditions=_BY, private=own, summary=told)


@hookimpl
def augsynth_transforms() -> Iterator[TransformSpec]:
    for name, (at, told) in _TRANSFORMS.items():
        yield TransformSpec(name=name, factory=_AT + at, summary=told, modality="text")
