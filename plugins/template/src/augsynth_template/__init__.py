"""Plugins for augsynth: a generator and a transform."""

from augsynth import authoring


@authoring.hookimpl
def augsynth_generators():
    yield authoring.GeneratorSpec(
        name="gaussian",
        factory="augsynth_template.gaussian:Gaussian",
        modality="image",
        conditions={"label"},
        summary="A normal distribution per class over the leading principal components",
    )


@authoring.hookimpl
def augsynth_transforms():
    yield authoring.TransformSpec(
        name="speckle",
        factory="augsynth_template.speckle:Speckle",
        modality="image",
        summary="Multiplicative noise",
    )
