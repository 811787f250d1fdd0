"""All that is special about audio, in one place; each part in a module of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor, nn

import augsynth
from augsynth import authoring
from augsynth_audio import drawing
from augsynth_audio.classifier import AudioClassifier
from augsynth_audio.folder import AudioFolderReader
from augsynth_audio.spec import AudioSpec
from augsynth_audio.spectra import LogMel
from augsynth_audio.tiny import FORMS, RATE, TinyTones


class AudioModality(authoring.Modality):
    """Recordings: waveforms of one length and sample rate."""

    spec_type: ClassVar[type[AudioSpec]] = AudioSpec
    suffixes: ClassVar[tuple[str, ...]] = ("", ".wav", ".npz")
    forms: ClassVar[tuple[str, ...]] = FORMS
    transform_forms: ClassVar[tuple[str, ...]] = ("tensor", "numpy", "tensor-stereo")

    def readers(self) -> Sequence[authoring.Reader]:
        return (AudioFolderReader(),)

    def classifier(self, spec: AudioSpec, outputs: int) -> nn.Module:
        return AudioClassifier(spec, outputs)

    def classic_candidates(self, spec: AudioSpec) -> dict[str, Any]:
        shift = {"name": "Shift", "min_shift": -0.1, "max_shift": 0.1, "rollover": False, "p": 0.8}
        noise = {"name": "AddGaussianSNR", "min_snr_db": 10.0, "max_snr_db": 40.0, "p": 0.5}
        stretch = {"name": "TimeStretch", "min_rate": 0.85, "max_rate": 1.15, "leave_length_unchanged": True, "p": 0.5}
        pitch = {"name": "PitchShift", "min_semitones": -2, "max_semitones": 2, "p": 0.5}
        policies = {
            "shift": [shift],
            "shift + noise": [shift, noise],
            "shift + stretch": [shift, stretch],
            "shift + stretch + pitch": [shift, stretch, pitch],
        }
        make = partial(augsynth.create, "transform", "audiomentations", sample_rate=spec.sample_rate)
        return {name: make(transforms=own) for name, own in policies.items()}

    def features(self) -> dict[str, Callable[[Any, Any, Any], authoring.Extract]]:
        """``"classifier"``, and ``"pca"`` of log-mel spectrograms: waveforms as such differ by their phases."""

        def of_spectra(data: Any, reference: Any, judge: Any) -> authoring.Extract:
            return authoring.PrincipalComponents(reference, partial(drawing.mel_vectors, spec=data.spec))

        return {**super().features(), "pca": of_spectra}

    def detail(self, spec: AudioSpec, reference: Any) -> tuple[str, authoring.Extract]:
        return "spectra", partial(drawing.mel_vectors, spec=spec)

    def spread(self, spec: AudioSpec, x: Tensor) -> float:
        return super().spread(spec, LogMel(spec.sample_rate, spec.length)(x.cpu().float()))

    def picture(self, spec: AudioSpec, x: Tensor, columns: int, *, cell: int = 44) -> Any:
        return drawing.picture(spec, x, columns, cell=cell)

    def html(self, spec: AudioSpec, x: Tensor, *, large: bool = False) -> str:
        return drawing.html(spec, x, large=large)

    def write(self, spec: AudioSpec, batch: Any, out: Path) -> list[Path]:
        return super().write(spec, batch, out) if out.suffix == ".npz" else drawing.write(spec, batch, out)

    def tiny(self, n: int, *, classes: int = 3, form: str | None = None, seed: int = 0) -> TinyTones:
        return TinyTones(n, form=form or "tensor", classes=classes, seed=seed)

    def transform_settings(self, form: str) -> dict[str, Any]:
        return {"sample_rate": RATE}
