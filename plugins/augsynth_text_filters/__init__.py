"""Filters of generated texts."""

from collections.abc import Iterator

from augsynth.authoring import FilterSpec, hookimpl

_ALL = {
    "length": "Texts of a wanted number of words",
    "repetition": "Texts that do not repeat themselves",
    "copying": "Texts that share no long run of words with the training texts",
}
_LEARNED = {
    "similarity": "Texts that say something like real ones, and not the same, by frozen embeddings",
    "perplexity": "Texts that are about as likely as real ones, to a generator with log_prob",
    "round_trip": "Texts that a generator with log_prob finds likeliest under the label that they were written for",
    "distinct": "Fewer of the texts that a generator writes again and again",
}


@hookimpl
def augsynth_filters() -> Iterator[FilterSpec]:
    for name, summary in {**_ALL, **_LEARNED}.items():
        factory = (
            f"augsynth_text_filters.{'learned' if name in _LEARNED else 'filters'}:{name.title().replace('_', '')}"
        )
        yield FilterSpec(name=name, factory=factory, modality="text", summary=summary)
