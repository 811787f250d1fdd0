"""Which part of a stream is this process's: who deals it out to workers and ranks, and how its samples are numbered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch.utils.data import get_worker_info

from augsynth.blending.blend import Blend

_WHOLE = (0, 1)
_SPLITTERS = {"split_by_worker", "split_by_node"}  # stages of a WebDataset


@dataclass(frozen=True)
class Share:
    """Part of a stream, as (part, number of parts).

    Args:
        arriving: what iterating over the stream yields here, of all; its samples are numbered in turn with those of
            the other parts.
        taken: which of these are this process's.
    """

    arriving: tuple[int, int]
    taken: tuple[int, int]

    def has(self, arrived: int) -> bool:
        """Whether the sample that came as number ``arrived`` is to be handed out here."""
        part, parts = self.taken
        return arrived % parts == part

    def position(self, arrived: int) -> int:
        """Its number in the whole stream."""
        part, parts = self.arriving
        return arrived * parts + part


def share_of(stream: Any, sharded: bool | None, rank: tuple[int, int]) -> Share:
    """The share of this process, a worker of a loader or none, at ``rank`` of so many.

    Args:
        stream: what is iterated over.
        sharded: whether it yields another part in each worker and rank by itself; None to recognise it.
        rank: this process's rank, and the number of ranks.
    """
    info = get_worker_info()
    worker = _WHOLE if info is None else (info.id, info.num_workers)
    by_workers, by_ranks = _dealt_by_itself(stream) if sharded is None else (sharded, sharded)
    if by_ranks and (placed := getattr(stream, "_distributed", None)) is not None:
        rank = placed.rank, placed.world_size  # as datasets.distributed.split_dataset_by_node was told
    return Share(
        _nested(rank if by_ranks else _WHOLE, worker if by_workers else _WHOLE),
        _nested(_WHOLE if by_ranks else rank, _WHOLE if by_workers else worker),
    )


def _nested(outer: tuple[int, int], inner: tuple[int, int]) -> tuple[int, int]:
    return outer[0] * inner[1] + inner[0], outer[1] * inner[1]


def is_huggingface(stream: Any) -> bool:
    """Whether it is an ``IterableDataset`` of Hugging Face ``datasets``."""
    return ("datasets", "IterableDataset") in _kinds(stream)


def is_mosaic(stream: Any) -> bool:
    """Whether it is a ``StreamingDataset`` of MosaicML."""
    return ("streaming", "StreamingDataset") in _kinds(stream)


def _kinds(stream: Any) -> set[tuple[str, str]]:
    """The classes of it, as (package, name); no package is imported."""
    return {(one.__module__.partition(".")[0], one.__name__) for one in type(stream).__mro__}


def _dealt_by_itself(stream: Any) -> tuple[bool, bool]:
    """Whether a stream yields another part in each worker, and in each rank."""
    if isinstance(stream, Blend):
        return True, True
    if is_huggingface(stream):
        return True, getattr(stream, "_distributed", None) is not None
    if is_mosaic(stream):
        return True, True
    if "webdataset" in {package for package, _ in _kinds(stream)}:
        stages = {getattr(stage, "__name__", "") for stage in getattr(stream, "pipeline", ())} & _SPLITTERS
        # without a stage for ranks, WebDataset refuses to run on several
        return "split_by_worker" in stages, "split_by_node" in stages
    return False, False
