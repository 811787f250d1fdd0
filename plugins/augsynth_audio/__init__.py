"""Audio: waveforms with a sample rate."""

from collections.abc import Iterator

from augsynth.authoring import GeneratorSpec, ModalitySpec, TransformSpec, hookimpl


@hookimpl
def augsynth_modalities() -> Iterator[ModalitySpec]:
    yield ModalitySpec(name="audio", factory="augsynth_audio.modality:AudioModality", summary="Waveforms of one length")


@hookimpl
def augsynth_generators() -> Iterator[GeneratorSpec]:
    told = "Conditional VAE of spectrograms, with phases by Griffin-Lim; varies real recordings"
    factory, known = "augsynth_audio.model:SpectrogramVAE", {"label", "multilabel", "number"}
    yield GeneratorSpec(name="specvae", factory=factory, modality="audio", conditions=known, private=True, summary=told)


@hookimpl
def augsynth_transforms() -> Iterator[TransformSpec]:
    told, factory = "Any transform of audiomentations, seeded", "augsynth_audio.transforms:Audiomentations"
    yield TransformSpec(name="audiomentations", factory=factory, modality="audio", summary=told, extra="audio")
