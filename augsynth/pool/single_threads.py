"""Work shared out to threads that compute on one core each."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, TypeVar

import torch

T = TypeVar("T")


class SingleThreads:
    """``count`` threads, in each of which torch uses one core.

    Several cores for each operation would wait for one another after every one of them, and for whoever else has the
    cores: a live pool beside two workers on two cores made samples at two thirds of the speed that way.

    Args:
        count: number of threads; with 1, the caller's own is used as it is.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._executor: ThreadPoolExecutor | None = None

    @classmethod
    def suited_to(cls, gen: Any) -> SingleThreads:
        """As many as torch would use, for tensors on a CPU. A GPU wants one large batch, and other objects are made by
        Python in between, of which one thread runs at a time."""
        on_cpu = getattr(gen, "device", torch.device("cpu")).type == "cpu"
        return cls(torch.get_num_threads() if on_cpu and gen.spec.tensors else 1)

    def map(self, make: Callable[[slice], T], n: int) -> list[T]:
        """``make`` of consecutive parts of n, one a thread."""
        if self.count == 1 or n < 2 * self.count:
            return [make(slice(0, n))]
        if self._executor is None:
            self._executor = ThreadPoolExecutor(
                self.count, "augsynth-pool", initializer=torch.set_num_threads, initargs=(1,)
            )
        before = torch.get_num_threads()
        edges = [i * n // self.count for i in range(self.count + 1)]
        made = list(self._executor.map(make, [slice(a, b) for a, b in pairwise(edges)]))
        torch.set_num_threads(before)  # which threads that start later take; those that run have their own
        return made

    def close(self) -> None:
        """End the threads."""
        if self._executor is not None:
            self._executor.shutdown(wait=False)
            self._executor = None
