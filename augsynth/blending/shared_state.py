"""The few numbers that all worker processes of a DataLoader must agree on, or add to."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch.utils.data import get_worker_info

from augsynth._numbers import checked_epoch

_EPOCH, _WARNED, _STARTED, _SCALE = 0, 1, 2, 3
_UNIT = 2**32  # of the scale, which is a whole number here
_HEADER, _ROWS = 4, 65  # a row for the main process and for 64 workers; further ones share
_SERVED, _DRAWN, _ACCEPTED, _TOTAL, _MADE, _MADE_NOW, _NANOSECONDS, _WIDTH = 0, 1, 2, 3, 4, 5, 6, 7


class SharedState:
    """An epoch number and counters in shared memory.

    Workers that persist over epochs hold copies of the dataset; an epoch set in the main process reaches them only
    through memory that they share. Counters have a row per worker, so that no lock is needed.
    """

    def __init__(self) -> None:
        self._cells = torch.zeros(_HEADER + _ROWS * _WIDTH, dtype=torch.int64).share_memory_()
        self._view = self._cells.numpy()  # reading through NumPy is three times faster than through torch
        self._view[_SCALE] = _UNIT

    def __getstate__(self) -> dict[str, Any]:
        return {"cells": self._cells}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._cells = state["cells"].share_memory_()
        self._view = self._cells.numpy()

    @property
    def epoch(self) -> int:
        return int(self._view[_EPOCH])

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self._view[_EPOCH] = checked_epoch(epoch)
        self._view[_HEADER + _SERVED :: _WIDTH] = 0
        self._view[_HEADER + _MADE_NOW :: _WIDTH] = 0

    @property
    def scale(self) -> float:
        """What the ratio is multiplied with."""
        return int(self._view[_SCALE]) / _UNIT

    @scale.setter
    def scale(self, scale: float) -> None:
        self._view[_SCALE] = round(scale * _UNIT)

    def serve(self, n: int) -> int:
        """Count n samples handed out in this epoch; returns how many that makes over all processes."""
        row = _row()
        self._view[row + _SERVED] += n
        self._view[row + _TOTAL] += n
        if not self._view[_STARTED]:
            self._view[_STARTED] = time.time_ns()
        return int(self._view[_HEADER + _SERVED :: _WIDTH].sum())

    def count(self, drawn: int, accepted: int) -> None:
        """Count samples that the filters judged."""
        row = _row()
        self._view[row + _DRAWN] += drawn
        self._view[row + _ACCEPTED] += accepted

    def generated(self, n: int, nanoseconds: int) -> None:
        """Count n synthetic samples, and the time that they took."""
        row = _row()
        self._view[row + _MADE] += n
        self._view[row + _MADE_NOW] += n
        self._view[row + _NANOSECONDS] += nanoseconds

    def stats(self) -> dict[str, Any]:
        """What was counted since the start, over all processes."""
        total, made, now, nanoseconds = (
            int(self._view[_HEADER + cell :: _WIDTH].sum()) for cell in (_TOTAL, _MADE, _MADE_NOW, _NANOSECONDS)
        )
        elapsed = (time.time_ns() - int(self._view[_STARTED])) * 1e-9 if total else 0.0
        return {
            "samples": total,
            "samples_per_second": total / elapsed if elapsed else 0.0,
            "synthetic": made,
            "synthetic_share": made / total if total else 0.0,
            "synthetic_this_epoch": now,
            "acceptance_rate": self.acceptance_rate,
            "seconds_generating": nanoseconds * 1e-9,
        }

    def reset_counters(self) -> None:
        """Forget what was counted."""
        self._view[_HEADER:] = 0
        self._view[_STARTED] = 0

    @property
    def acceptance_rate(self) -> float | None:
        """Share of the judged samples that passed, None if none was judged."""
        drawn = int(self._view[_HEADER + _DRAWN :: _WIDTH].sum())
        return int(self._view[_HEADER + _ACCEPTED :: _WIDTH].sum()) / drawn if drawn else None

    def first_warning(self) -> bool:
        """True once, in the first process that asks."""
        if self._view[_WARNED]:
            return False
        self._view[_WARNED] = 1
        return True


def _row() -> int:
    info = get_worker_info()
    number = 0 if info is None else 1 + info.id % (_ROWS - 1)
    return _HEADER + number * _WIDTH
