"""Samples as a tar file of the layout of WebDataset: the files of one sample share a name, and differ in suffix."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from torch import Tensor

from augsynth.recognition import modality_of


def tar_of(spec: Any, batch: Any, kept: list[int], start: int) -> bytes:
    """The rows ``kept`` of a batch of samples, named by their position from ``start`` on: the sample as the file that
    its kind of data writes (``.png``, ``.wav``), or as ``.txt`` or ``.npy``; ``.cls`` with the position of its class;
    ``.json`` with its provenance."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for i, (suffix, data) in zip(kept, _contents(spec, batch, kept), strict=True):
            name = f"{start + i:012d}"
            _add(archive, name + suffix, data)
            if batch.classes is not None:
                _add(archive, f"{name}.cls", str(int(batch.classes[i])).encode())
            _add(archive, f"{name}.json", json.dumps(batch.meta[i], ensure_ascii=False).encode())
    return made.getvalue()


def _contents(spec: Any, batch: Any, kept: list[int]) -> list[tuple[str, bytes]]:
    """Suffix and bytes of each."""
    modality = modality_of(spec)
    if modality.readable:
        told = modality.lines(spec, batch.model_x)
        return [(".txt", told[i].encode()) for i in kept]
    if "" in modality.suffixes:
        with TemporaryDirectory() as folder:
            files = modality.write(spec, batch, Path(folder) / "samples")
            return [(files[i].suffix, files[i].read_bytes()) for i in kept]
    return [(".npy", _npy(batch.x[i])) for i in kept]


def _npy(x: Any) -> bytes:
    made = io.BytesIO()
    np.save(made, x.cpu().numpy() if isinstance(x, Tensor) else np.asarray(x), allow_pickle=False)
    return made.getvalue()


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)  # with the time 0: equal samples make equal files
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))
