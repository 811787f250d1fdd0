"""Samples in shared memory: fixed slots that one process writes and any number read, without copies or locks."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from augsynth._gather import copied, gathered
from augsynth.errors import AugsynthError, ConfigError
from augsynth.sample_spec import SampleSpec
from augsynth.seeding import derive

_SHARED = Path("/dev/shm")
_AGAIN, _TRIES = 0x901, 64  # draws for one sample that must fit its slot


class Slots:
    """Room for ``size`` samples, ``buffers`` times.

    Tensors are kept as the dataset yields them (a byte a value where those are bytes); samples that differ in size as
    bytes, in slots that hold what is as large as the largest real one.

    Args:
        spec: the space of the samples.
        size: number of samples.
        buffers: how often.
        shared: whether other processes read and write the same samples.

    Raises:
        ConfigError: there is too little shared memory; says how much is needed and there.
    """

    def __init__(self, spec: SampleSpec, size: int, buffers: int, *, shared: bool = True) -> None:
        self.spec, self.size, self.buffers = spec, size, buffers
        fixed = spec.raw_slot()
        self.width = spec.slot_bytes if fixed is None else 0
        shape, dtype = ((self.width,), torch.uint8) if fixed is None else fixed
        per_sample = int(np.prod(shape)) * dtype.itemsize + 8 + 8 + 4
        self.nbytes = per_sample * size * buffers
        if shared:
            _check_room(self.nbytes, size, buffers)
        self.content = torch.zeros(buffers, size, *shape, dtype=dtype)
        self.lengths = torch.zeros(buffers, size, dtype=torch.int32)  # bytes of a sample
        about = torch.zeros(buffers, size, 2, dtype=torch.int64)  # one look-up gives both
        if shared:
            for one in (self.content, self.lengths, about):
                one.share_memory_()
        self._about, self.seeds, self.topics = about, about[..., 0], about[..., 1].fill_(-1)

    def write(self, buffer: int, slots: Tensor, x: Any, seeds: Tensor, topics: Tensor | None) -> Tensor:
        """Put samples, as generators see them, into ``slots`` (k,) int64.

        Returns:
            (k,) bool: which were written. A sample that is larger than any real one could be has no room.
        """
        fits = torch.ones(len(slots), dtype=torch.bool)
        if self.width:
            target, lengths = self.content[buffer].numpy(), self.lengths[buffer].numpy()
            for i, (slot, raw) in enumerate(zip(slots.tolist(), self.spec.packed(x), strict=True)):
                fits[i] = len(raw) <= self.width
                if fits[i]:
                    target[slot, : len(raw)] = np.frombuffer(raw, dtype=np.uint8)
                    lengths[slot] = len(raw)
        else:
            raw = self.spec.model_to_raw(x)
            first, n = int(slots[0]), len(slots)
            if bool((slots.diff() == 1).all()):
                self.content[buffer, first : first + n].copy_(raw)  # straight from the device into pinned memory
            else:
                self.content[buffer].index_copy_(0, slots, raw.cpu())
        self.seeds[buffer][slots[fits]] = seeds[fits]
        if topics is not None:
            self.topics[buffer][slots[fits]] = topics[fits].cpu()
        return fits

    def read(self, buffer: int, slots: Tensor) -> tuple[Any, Tensor, Tensor]:
        """Copies of the samples in ``slots`` (k,): raw (k, ...), or packed; their seeds and topics (k,)."""
        seeds, topics = self._about[buffer].index_select(0, slots).unbind(1)
        if not self.width:
            return gathered(self.content[buffer], slots), seeds, topics
        content, lengths = self.content[buffer].numpy(), self.lengths[buffer].numpy()
        return [content[slot, : lengths[slot]].tobytes() for slot in slots.tolist()], seeds, topics

    def keeps(self, row: Tensor) -> bool:
        """Whether such a sample (...) of the dataset is kept here as it is, in a dtype that NumPy has."""
        kept = self.content[0, :1]
        if self.width or kept.dtype == torch.bfloat16 or (kept.shape[1:], kept.dtype) != (row.shape, row.dtype):
            return False
        yielded = self.spec.yielded(kept)
        return isinstance(yielded, Tensor) and yielded.data_ptr() == kept.data_ptr()

    def read_into(self, buffer: int, slots: Tensor, out: Tensor, at: Tensor) -> None:
        """Copy the samples in ``slots`` (k,) into the rows ``at`` (k,) of ``out``, where :meth:`keeps` holds."""
        copied(self.content[buffer], slots, out, at)


def put_all(slots: Tensor, seeds: Tensor, put: Callable[[Tensor, Tensor], Tensor]) -> None:
    """Put a sample of its seed into each of ``slots`` (k,), and one of another seed where that has no room.

    Args:
        seeds: (k,) int64.
        put: makes samples of seeds for as many slots; returns (k,) bool, which were written.

    Raises:
        AugsynthError: 65 samples in a row had no room.
    """
    turn = 0
    while len(slots):
        if turn > _TRIES:
            raise AugsynthError(f"{len(slots)} samples in a row were larger than any real one; fit for longer")
        fits = put(slots, seeds if turn == 0 else derive(seeds, _AGAIN, turn))
        slots, seeds, turn = slots[~fits], seeds[~fits], turn + 1


def decoded(spec: SampleSpec, found: Any) -> Any:
    """What :meth:`Slots.read` gave, as k raw samples."""
    return spec.unpacked(found) if isinstance(found, list) else found


def pinned(tensor: Tensor) -> Callable[[], None] | None:
    """Page-lock shared memory, so that a GPU writes into it without a copy in between.

    Returns:
        What undoes it, or None where CUDA refuses: the pool works all the same.
    """
    cudart: Any = torch.cuda.cudart()
    address = tensor.data_ptr()
    if int(cudart.cudaHostRegister(address, tensor.numel() * tensor.element_size(), 0)) != 0:
        return None
    return lambda: cudart.cudaHostUnregister(address)


def _check_room(needed: int, size: int, buffers: int) -> None:
    if not _SHARED.is_dir():
        return
    there = os.statvfs(_SHARED)
    free = there.f_bavail * there.f_frsize
    if needed > free:
        raise ConfigError(
            f"size={size}: {buffers} times as many samples need {_mb(needed)} of shared memory, and {_SHARED} has "
            f"{_mb(free)} free; ask for fewer, or enlarge it (docker run --shm-size=...)"
        )


def _mb(n: int) -> str:
    return f"{n / 2**20:,.1f} MiB"


def regions(weights: Sequence[float], size: int) -> list[int]:
    """How many of ``size`` slots each class gets: in proportion to its weight, at least one where that is positive."""
    shares = np.asarray(weights, dtype=np.float64)
    positive = shares > 0
    exact = shares / shares.sum() * (size - positive.sum())
    counts = np.floor(exact).astype(int) + positive
    rest = size - counts.sum()
    for i in np.argsort(-(exact - np.floor(exact)), kind="stable")[:rest]:
        counts[i] += 1
    return counts.tolist()
