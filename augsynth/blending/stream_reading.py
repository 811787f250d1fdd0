"""Read a stream from its beginning, or go on where an earlier reading was."""

from __future__ import annotations

import hashlib
import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

from augsynth.blending.stream_shares import Share, is_huggingface, is_mosaic
from augsynth.errors import CostWarning

_END = object()
_LOOKED_AT = 8  # samples that must come again, before a stream is believed to go on where it was


def first_of(stream: Any) -> Any:
    """A sample of a stream, or None where it has none.

    By its index of a ``StreamingDataset`` of MosaicML: once begun in this process, it waits for ever in workers.
    """
    if is_mosaic(stream):
        return stream[0] if len(stream) else None
    return next(iter(stream), None)


class StreamReader:
    """Reads this process's share of a stream in chunks, and knows how to come back to the last one.

    Args:
        stream: an iterable. Where it has ``state_dict`` and ``load_state_dict``, as those of Hugging Face ``datasets``
            and of torchdata, it is asked to go on where it was; else what came before is read and skipped.
        share: which samples to hand out.
        digestible: bytes that identify a sample.
        start: number of the sample to begin with, among those that arrive here.
        saved: what :attr:`saved` of an earlier reader was, or None.
    """

    def __init__(
        self,
        stream: Any,
        share: Share,
        digestible: Callable[[Any], bytes],
        *,
        start: int = 0,
        saved: Mapping[str, Any] | None = None,
    ) -> None:
        self._stream, self._share, self._digestible = stream, share, digestible
        self._goes_back = _stateful(stream)
        self._samples, self._arrived = self._resumed(saved) or (iter(stream), 0)
        self._start = start
        self._begun: tuple[int, Any, list[Any]] | None = None

    def chunk(self, size: int) -> list[tuple[int, Any]]:
        """The next ``size`` samples of the share, each with its number among those that arrive here; fewer at the end,
        and none after it."""
        state = self._stream.state_dict() if self._goes_back and self._arrived else None
        found: list[tuple[int, Any]] = []
        first: list[Any] = []
        began = self._arrived
        while len(found) < size and (sample := next(self._samples, _END)) is not _END:
            if len(first) < _LOOKED_AT:
                first.append(sample)
            if self._arrived >= self._start and self._share.has(self._arrived):
                found.append((self._arrived, sample))
            self._arrived += 1
        self._begun = None if state is None else (began, state, first)
        return found

    @property
    def saved(self) -> dict[str, Any] | None:
        """The state of the stream at the beginning of the last chunk, as plain data; None where it has none."""
        if self._begun is None:
            return None
        began, state, first = self._begun
        return {"arrived": began, "stream": state, "first": self._digest(first), "samples": len(first)}

    def _resumed(self, saved: Mapping[str, Any] | None) -> tuple[Iterator[Any], int] | None:
        if saved is None or not self._goes_back:
            return None
        self._stream.load_state_dict(saved["stream"])
        samples = iter(self._stream)
        first = list(islice(samples, saved["samples"]))
        if is_huggingface(self._stream):
            self._stream.load_state_dict(None)  # which would hold for each later pass, too
        if len(first) == saved["samples"] and self._digest(first) == saved["first"]:
            return chain(first, samples), saved["arrived"]
        warnings.warn(
            f"{type(self._stream).__name__} did not go on where it was (a shuffle buffer is not in its state, for "
            "one): it is read from its beginning, and what was seen is skipped",
            CostWarning,
            stacklevel=4,
        )
        return None

    def _digest(self, samples: list[Any]) -> str:
        digest = hashlib.sha256()
        for sample in samples:
            digest.update(self._digestible(sample))
        return digest.hexdigest()[:16]


def _stateful(stream: Any) -> bool:
    """Whether a stream says where it is, and goes there."""
    if not (hasattr(stream, "state_dict") and hasattr(stream, "load_state_dict")):
        return False
    try:
        inspect.signature(stream.state_dict).bind()
    except (TypeError, ValueError):
        return False  # it wants to be told more than a blend knows
    return True
