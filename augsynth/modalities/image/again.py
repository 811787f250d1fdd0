"""One thing photographed several times: which images show the same once they are laid over each other."""

from __future__ import annotations

import cv2
import numpy as np
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that torch's own documentation uses

_COARSE, _EDGE = 24, 10
_LIKELY = 8  # others that an image is laid over: those most alike at 24 pixels
_WORTH = 0.5  # correlation there, below which it is not tried
_SAME = 0.78
"""Correlation of the detail, once aligned. Of twenty pairs of potato leaves (PlantVillage) above it that were looked
at, seventeen show one leaf; the three others are below 0.82."""


def photographed_again(grey: Tensor, other: Tensor | None) -> list[tuple[int, int, float]]:
    """``(i, j, correlation)``: image i shows what the earlier image j shows, or image j of ``other``; each i once.

    Images are aligned by an affine map that maximises their correlation (Evangelidis & Psarakis 2008, of OpenCV), and
    then compared in their detail alone, since outlines and light are alike in many.

    Args:
        grey: (n, 96, 96) float32 of any range.
        other: (m, 96, 96), or None.
    """
    own, coarse = _prepared(grey)
    theirs, their_coarse = (own, coarse) if other is None else _prepared(other)
    alike = coarse @ their_coarse.T
    if other is None:
        alike[np.triu_indices(len(alike))] = -1.0  # earlier ones only
    found = []
    for i, row in enumerate(alike):
        best = (0.0, -1)
        for j in np.argsort(-row)[:_LIKELY]:
            if row[j] < _WORTH:
                break
            best = max(best, (_agreement(own[i], theirs[j]), int(j)))
        if best[0] >= _SAME:
            found.append((i, best[1], best[0]))
    return found


def _prepared(grey: Tensor) -> tuple[list[np.ndarray], np.ndarray]:
    """The images, and (n, 576) of unit length and mean 0."""
    rows = F.interpolate(grey[:, None], (_COARSE, _COARSE), mode="area").flatten(1)
    rows = F.normalize(rows - rows.mean(1, keepdim=True), dim=1)
    return list(grey.numpy()), rows.numpy()


def _agreement(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of the detail of two images, once the second is laid over the first; 0 where it cannot be."""
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4)
    everywhere = np.full(a.shape, 255, dtype=np.uint8)
    try:
        start = np.eye(2, 3, dtype=np.float32)
        _, move = cv2.findTransformECC(a, b, start, cv2.MOTION_AFFINE, stop, everywhere, 5)
    except cv2.error:
        return 0.0
    laid = cv2.warpAffine(
        _detail(b), move, a.shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT
    )
    inner = slice(_EDGE, -_EDGE)
    one, two = _detail(a)[inner, inner].ravel(), laid[inner, inner].ravel()
    if one.std() < 1e-6 or two.std() < 1e-6:
        return 0.0
    return float(np.corrcoef(one, two)[0, 1])


def _detail(image: np.ndarray) -> np.ndarray:
    """A band of the image: without its noise and without its light."""
    made: np.ndarray = cv2.GaussianBlur(image, (0, 0), 1.0) - cv2.GaussianBlur(image, (0, 0), 6.0)
    return made
