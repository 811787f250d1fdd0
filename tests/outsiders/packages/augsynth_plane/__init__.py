"""A kind of data as a stranger would write it: points in the plane. Tests find it through its entry point."""

from augsynth.authoring import GeneratorSpec, ModalitySpec, hookimpl


@hookimpl
def augsynth_modalities():
    yield ModalitySpec(name="point", factory="augsynth_plane.modality:PointModality", summary="Points in the plane")


@hookimpl
def augsynth_generators():
    yield GeneratorSpec(
        name="cloud", factory="augsynth_plane.cloud:Cloud", modality="point", conditions={"label"}, summary="Clouds"
    )
