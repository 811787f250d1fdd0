"""How waveforms are shown: as spectrograms, and to be played."""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from augsynth import authoring
from augsynth_audio.spec import AudioSpec
from augsynth_audio.spectra import LogMel

_SHOWN = 5
_FIGURE = "display:inline-block;margin:.2rem .4rem .2rem 0"
_PLAYER = "display:block;width:9rem;height:1.8rem"
# dark to light, as magma of matplotlib goes: (red, green, blue) at five levels
_COLORS = torch.tensor([[0, 0, 4], [81, 18, 124], [183, 55, 121], [252, 137, 97], [252, 253, 191]], dtype=torch.float32)


def spectrograms(spec: AudioSpec, x: Tensor) -> Tensor:
    """(n, 3, bands, frames) float32 in [-1, 1]: log-mel spectrograms in colour, low frequencies at the bottom."""
    mel = LogMel(spec.sample_rate, spec.length)(x.cpu().float()).mean(1).flip(1)  # (n, bands, frames)
    top = mel.amax((1, 2), keepdim=True)
    level = ((mel - top) / 6.0 + 1.0).clamp(0.0, 1.0) * (len(_COLORS) - 1)  # 60 dB
    below = level.floor().long().clamp(max=len(_COLORS) - 2)
    share = (level - below)[..., None]
    rgb = _COLORS[below] * (1 - share) + _COLORS[below + 1] * share
    return rgb.movedim(-1, 1) / 127.5 - 1.0


def picture(spec: AudioSpec, x: Tensor, columns: int, *, cell: int) -> Image.Image:
    """A grid of spectrograms, each about ``cell`` pixels high."""
    made = authoring.image_grid(spectrograms(spec, x), columns, gap=3)
    scale = max(1.0, cell / 40)
    return made.resize((round(made.width * scale), round(made.height * scale)), Image.Resampling.BILINEAR)


def html(spec: AudioSpec, x: Tensor, *, large: bool) -> str:
    """The first waveforms of (n, channels, time), each as a picture above a player."""
    shown = x[:_SHOWN]
    parts = []
    for one in shown:
        source = authoring.embedded_picture(picture(spec, one[None], 1, cell=80 if large else 60))
        sound = authoring.embedded_bytes(wav(spec, one), "audio/wav")
        parts.append(
            f'<figure style="{_FIGURE}"><img src="{source}" alt="spectrogram"><audio controls preload="none" '
            f'style="{_PLAYER}" src="{sound}"></audio></figure>'
        )
    return "".join(parts)


def wav(spec: AudioSpec, x: Tensor) -> bytes:
    """One waveform (channels, time) in [-1, 1] as the content of a 16-bit WAV file."""
    frames = (x.detach().cpu().float().clamp(-1.0, 1.0) * 32767).round().short().t().contiguous().numpy()
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(x.shape[0])
        file.setsampwidth(2)
        file.setframerate(spec.sample_rate)
        file.writeframes(frames.tobytes())
    return buffer.getvalue()


def write(spec: AudioSpec, batch: Any, out: Path) -> list[Path]:
    """A folder with a subfolder for each label and a WAV file for each waveform; or all in a row as one ``.wav``."""
    x = batch.model_x.cpu()
    if out.suffix:
        pause = torch.zeros(x.shape[1], spec.sample_rate // 4)
        row = torch.cat([part for one in x for part in (one, pause)], dim=1)
        with authoring.atomic_file(out) as draft:
            draft.write_bytes(wav(spec, row))
        return [out]
    return authoring.write_each(batch, out, ".wav", lambda i, file: file.write_bytes(wav(spec, x[i])))


def mel_vectors(x: Any, spec: AudioSpec) -> np.ndarray:
    """(n, bands · frames) log-mel levels of waveforms (n, channels, time)."""
    rows: np.ndarray = LogMel(spec.sample_rate, spec.length)(x.cpu().float()).flatten(1).numpy()
    return rows
