"""The IDX format of MNIST and its kin."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np

from augsynth.errors import DataError


def read_idx(path: Path) -> np.ndarray:
    """The array in a gzipped IDX file of unsigned bytes.

    Raises:
        DataError: not such a file.
    """
    try:
        data = gzip.decompress(path.read_bytes())
        zeros, kind, dimensions = struct.unpack(">HBB", data[:4])
        shape = struct.unpack(f">{dimensions}I", data[4 : 4 + 4 * dimensions])
        if zeros != 0 or kind != 8:
            raise ValueError("not an IDX file of unsigned bytes")
        return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
    except (OSError, ValueError, struct.error, EOFError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
