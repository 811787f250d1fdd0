"""Which images are nearly the same, and which are unlike all others."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses

from augsynth._optional import import_optional
from augsynth.errors import AugsynthWarning, MissingDependencyError
from augsynth.modalities.image.spec import ImageSpec

_BITS_APART = 8  # of the 64 of a perceptual hash: more let pairs pass that differ to the eye
_ALIKE = 0.98  # correlation at 32×32 pixels: re-encoded, brightened or slightly cropped copies stay above it
_SIDE = 32
_DETAILED = 64  # pixels of the shorter side: less has too little detail to tell two things apart
_ALIGNED = 96  # pixels at which these are laid over each other
_PART = 1024
_UPDATES = 200  # of the autoencoder: after 400 it begins to know outliers by heart, too


def near_duplicates(
    spec: ImageSpec, raw: Tensor, other: Tensor | None
) -> tuple[list[tuple[int, int, str]], str | None]:
    """As of :meth:`Modality.near_duplicates`: alike by a perceptual hash (64 bits, from the discrete cosine transform;
    Zauner 2010), and then by correlation of the pixels."""
    if min(spec.height, spec.width) < _SIDE:
        return [], f"near duplicates are not looked for: images under {_SIDE} pixels have too little in them to tell"
    try:
        imagehash = import_optional("imagehash", extra="prepare", purpose="finding near duplicates of images")
    except MissingDependencyError as error:
        return [], str(error)
    detailed = min(spec.height, spec.width) >= _DETAILED
    sides = (_SIDE, _ALIGNED) if detailed else (_SIDE,)
    shrunk = _grey(spec, raw, *sides)
    others = shrunk if other is None else _grey(spec, other, *sides)
    small = shrunk[0].numpy()
    hashes = _hashes(imagehash, small)
    hashes_other = hashes if other is None else _hashes(imagehash, others[0].numpy())
    flat, flat_other = _standardised(small), _standardised(others[0].numpy())
    found = []
    for start in range(0, len(small), _PART):
        part = slice(start, start + _PART)
        # bits as ±1: their product counts those that agree
        apart = (64 - hashes[part] @ hashes_other.T) / 2
        close = apart <= _BITS_APART
        if other is None:
            close &= np.arange(len(small))[None, :] < np.arange(len(small))[part, None]
        for i, j in zip(*np.nonzero(close), strict=True):
            alike = float(flat[start + i] @ flat_other[j])
            if alike >= _ALIKE:
                found.append((int(start + i), int(j), alike))
    best: dict[int, tuple[int, float]] = {}
    for i, j, alike in found:
        if i not in best or alike > best[i][1]:
            best[i] = (j, alike)
    told = {i: (j, f"nearly the same (correlation {alike:.3f})") for i, (j, alike) in best.items()}
    if detailed:
        from augsynth.modalities.image.again import photographed_again  # OpenCV, for who prepares large images

        for i, j, alike in photographed_again(shrunk[1], None if other is None else others[1]):
            told.setdefault(i, (j, f"the same thing, photographed again (its detail agrees by {alike:.2f})"))
    return [(i, j, how) for i, (j, how) in sorted(told.items())], None


def fitted_scores(gen: Any, data: Any, *, seed: int, device: str, progress: bool) -> Tensor:
    """(n,) squared error of reconstruction by an unfitted generator that has ``outlier_score``, fitted on the data."""
    from augsynth.fitting.fit import fit

    inputs = data.spec.yielded(data.raw)
    labels = None if data.classes is None else data.classes.tolist()
    samples = list(inputs) if labels is None else list(zip(inputs, labels, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AugsynthWarning)  # of the size it works at, and of collapse: no matter here
        fitted = fit(gen, samples, seed=seed, device=device, progress=progress, steps=_UPDATES, validation=0.0)
    y = None if labels is None or not fitted.conditional else labels
    score: Any = fitted.outlier_score
    scores: Tensor = score(inputs, y)
    return scores


def _grey(spec: ImageSpec, raw: Tensor, *sides: int) -> list[Tensor]:
    """(n, side, side) of 0 to 255, for each of the sides; never all images at full size."""
    parts = []
    for start in range(0, len(raw), _PART):
        x = (spec.raw_to_model(raw[start : start + _PART]).mean(1, keepdim=True) + 1) * 127.5
        parts.append([F.interpolate(x, (side, side), mode="area")[:, 0] for side in sides])
    return [torch.cat(same) for same in zip(*parts, strict=True)]


def _hashes(imagehash: Any, small: np.ndarray) -> np.ndarray:
    """(n, 64) of -1 and 1."""
    bits = [imagehash.phash(Image.fromarray(one.round().clip(0, 255).astype(np.uint8))).hash.flatten() for one in small]
    return np.stack(bits).astype(np.float32) * 2 - 1


def _standardised(small: np.ndarray) -> np.ndarray:
    rows = small.reshape(len(small), -1)
    rows = rows - rows.mean(1, keepdims=True)
    made: np.ndarray = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return made
