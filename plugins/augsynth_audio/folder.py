"""Recordings in a folder."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

import augsynth
from augsynth import authoring

SUFFIXES = (".wav", ".flac", ".ogg", ".aiff", ".aif")


class AudioFiles(Dataset[Any]):
    """Waveforms (time,) or (channels, time) float32 in [-1, 1] from files, decoded when asked for, with class ids.

    Args:
        files: of formats that soundfile reads (the extra ``audio``): WAV, FLAC, OGG, AIFF.
        targets: a class id for each; None for waveforms alone.
        classes: names of the classes.
        sample_rate: resample to this rate; None keeps the files' own, which must then be one.
        seconds: pad with silence at the end, or cut, to this duration; None keeps the files' own length, which must
            then be one. What is done is said by a :class:`augsynth.ResizeWarning`.

    Raises:
        DataError: files of several rates or lengths without being told what to do, or one that cannot be read.
    """

    def __init__(
        self,
        files: Sequence[str | Path],
        targets: Sequence[int] | None,
        classes: Sequence[str] = (),
        *,
        sample_rate: int | None = None,
        seconds: float | None = None,
    ) -> None:
        if not files:
            raise augsynth.DataError("there are no recordings")
        if targets is not None and len(files) != len(targets):
            raise augsynth.DataError(f"{len(files)} files and {len(targets)} targets: expected one for each")
        self.files, self.classes = [Path(file) for file in files], list(classes)
        self.targets = None if targets is None else list(map(int, targets))
        infos = [_info(file) for file in self.files]
        rates = Counter(rate for rate, _ in infos)
        if sample_rate is None and len(rates) > 1:
            told = ", ".join(f"{rate} Hz ({n} files)" for rate, n in rates.most_common())
            raise augsynth.DataError(
                f"recordings of mixed sample rates: {told}; pass sample_rate= to resample them to one"
            )
        self.sample_rate = int(sample_rate or next(iter(rates)))
        if self.sample_rate < 1000:
            raise augsynth.ConfigError(f"sample_rate={sample_rate!r}: expected at least 1000 samples a second")
        lengths = [_resampled_length(frames, rate, self.sample_rate) for rate, frames in infos]
        if seconds is None and len(set(lengths)) > 1:
            raise augsynth.DataError(
                f"recordings of {min(lengths) / self.sample_rate:.3g} to {max(lengths) / self.sample_rate:.3g} s: pass "
                "seconds= to pad or cut them to one length, such as "
                f"{np.quantile(lengths, 0.95) / self.sample_rate:.2g}, which 95 % of them keep to"
            )
        if seconds is not None and not seconds > 0:
            raise augsynth.ConfigError(f"seconds={seconds!r}: expected a positive duration")
        self.length = lengths[0] if seconds is None else round(seconds * self.sample_rate)
        told = _told(rates, self.sample_rate, lengths, self.length)
        if told:
            warnings.warn(told, augsynth.ResizeWarning, stacklevel=2)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Any:
        waveform = read_waveform(self.files[index], self.sample_rate, self.length)
        return waveform if self.targets is None else (waveform, self.targets[index])


def audio_folder(path: str | Path, *, sample_rate: int | None = None, seconds: float | None = None) -> AudioFiles:
    """The recordings in a folder as :class:`AudioFiles`: with their classes where it has a subfolder for each, without
    where they lie in it. Recordings beside such subfolders are left out, which a
    :class:`augsynth.ConversionWarning` says.

    Raises:
        DataError: no recordings; and as :class:`AudioFiles`.
    """
    path = Path(path)
    found = {
        sub.name: sorted(file for file in sub.rglob("*") if authoring.is_named_as(file, SUFFIXES))
        for sub in sorted(path.iterdir())
        if sub.is_dir()
    }
    top = sorted(file for file in path.iterdir() if authoring.is_named_as(file, SUFFIXES))
    classes = [name for name, files in found.items() if files]
    if not classes and not top:
        raise augsynth.DataError(
            f"{path}: expected recordings, or a subfolder of them for each class; for other layouts make an AudioFiles"
        )
    if not classes:
        return AudioFiles(top, None, sample_rate=sample_rate, seconds=seconds)
    if top:
        told = f"{len(top)} recordings in {path} that lie beside the folders of the classes are left out"
        warnings.warn(told, augsynth.ConversionWarning, stacklevel=2)
    files = [file for name in classes for file in found[name]]
    targets = [c for c, name in enumerate(classes) for _ in found[name]]
    return AudioFiles(files, targets, classes, sample_rate=sample_rate, seconds=seconds)


def read_waveform(file: Path, sample_rate: int, length: int | None = None) -> Tensor:
    """One file as float32 (time,), or (channels, time) where it has several, at ``sample_rate``, padded or cut to
    ``length``. Raises DataError, which names the file."""
    soundfile = _soundfile()
    try:
        array, rate = soundfile.read(str(file), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
        raise augsynth.DataError(f"{file} cannot be read as audio: {error}") from error
    if not len(array):
        raise augsynth.DataError(f"{file} is a recording of zero length; remove it")
    if rate != sample_rate:
        array = resampled(array, rate, sample_rate)
    if length is not None:
        array = array[:length] if len(array) >= length else np.pad(array, ((0, length - len(array)), (0, 0)))
    made = torch.from_numpy(np.ascontiguousarray(array.T))
    return made[0] if len(made) == 1 else made


def resampled(array: np.ndarray, rate: int, to: int) -> np.ndarray:
    """(time, channels) float32 at another sample rate, by a polyphase filter (SciPy's ``resample_poly``)."""
    from scipy.signal import resample_poly

    common = gcd(rate, to)
    made: np.ndarray = resample_poly(array, to // common, rate // common, axis=0)
    return made[: _resampled_length(len(array), rate, to)].astype(np.float32)


class AudioFolderReader(authoring.FolderReader):
    """A folder of recordings on the command line; its options are those of :class:`AudioFiles`."""

    form = "a folder of recordings"
    suffixes = SUFFIXES
    options = ("sample_rate", "seconds")

    def read(self, path: Path, **options: Any) -> AudioFiles:
        return audio_folder(path, **options)


def _soundfile() -> Any:
    return authoring.import_optional("soundfile", extra="audio", purpose="reading recordings")


def _info(file: Path) -> tuple[int, int]:
    """Sample rate and frames of a file."""
    soundfile = _soundfile()
    try:
        info = soundfile.info(str(file))
    except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
        raise augsynth.DataError(f"{file} cannot be read as audio: {error}") from error
    if not info.frames:
        raise augsynth.DataError(f"{file} is a recording of zero length; remove it")
    return int(info.samplerate), int(info.frames)


def _resampled_length(frames: int, rate: int, to: int) -> int:
    return max(1, -(-frames * to // rate))


def _told(rates: Counter[int], rate: int, lengths: Sequence[int], length: int) -> str:
    changed = sum(n for other, n in rates.items() if other != rate)
    padded, cut = sum(one < length for one in lengths), sum(one > length for one in lengths)
    parts = [f"{changed} resampled to {rate} Hz"] * bool(changed)
    parts += [f"{padded} padded with silence to {length / rate:.3g} s"] * bool(padded)
    parts += [f"{cut} cut to {length / rate:.3g} s"] * bool(cut)
    return f"of {len(lengths)} recordings, {', '.join(parts)}" if parts else ""
