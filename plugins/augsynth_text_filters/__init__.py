"""Filters of generated texts."""

from collections.abc import Iterator

from augsynth.authoring import FilterSpec, hookimpl

_ALL = {
    "length": "Texts of a wanted number of words",
    "repetition": "Texts that do not repeat themselves",
    "copying": "Texts that share no long run of words with the training texts",
}


@hookimpl
def augsynth_filters() -> Iterator[FilterSpec]:
    for name, summary in _ALL.items():
        factory = f"augsynth_text_filters.filters:{name.capitalize()}"
        yield FilterSpec(name=name, factory=factory, modality="text", summary=summary)
