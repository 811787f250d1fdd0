"""An example plugin: one generator, one transform."""

import augsynth


@augsynth.hookimpl
def augsynth_generators():
    yield augsynth.GeneratorSpec(
        name="gaussian",
        factory="augsynth_template.gaussian:Gaussian",
        modality="image",
        conditions={"label"},
        summary="A normal distribution per class over the leading principal components",
    )


@augsynth.hookimpl
def augsynth_transforms():
    yield augsynth.TransformSpec(
        name="speckle", factory="augsynth_template.speckle:Speckle", modality="image", summary="Multiplicative noise"
    )
