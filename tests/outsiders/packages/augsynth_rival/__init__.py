"""Another distribution that names a modality as the first one does, and claims the same inputs."""

from augsynth.authoring import ModalitySpec, hookimpl


@hookimpl
def augsynth_modalities():
    yield ModalitySpec(name="point", factory="augsynth_rival.modality:Rival")
