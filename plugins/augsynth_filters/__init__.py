"""Filters of generated samples that know the real ones, for images and for texts."""

from collections.abc import Iterator

from augsynth.authoring import FilterSpec, hookimpl

_ALL = {
    "confidence": "Samples whose label a classifier confirms, one of yours or one fitted on real data",
    "density": "Samples that lie among the real ones",
    "novelty": "Samples that are no near copy of a training sample",
    "diversity": "Fewer samples where the generator makes more than there are real ones",
}


@hookimpl
def augsynth_filters() -> Iterator[FilterSpec]:
    for name, summary in _ALL.items():
        factory = f"augsynth_filters.filters:{name.capitalize()}"
        yield FilterSpec(name=name, factory=factory, modality="any", summary=summary)
