"""The processes that fit one generator together.

Networks are called anywhere in a plugin's ``training_step``, and there may be several optimizers: so it is not a module
that is wrapped, as for ``DistributedDataParallel``, but gradients that are averaged, after each backward pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from augsynth.errors import ConfigError, DataError


class Ranks:
    """This process among those that take the steps of a fit together; alone, nothing is exchanged.

    Args:
        fabric: a launched :class:`lightning_fabric.Fabric`; None for a process alone.
    """

    def __init__(self, fabric: Any = None) -> None:
        self._fabric = fabric
        self.size: int = 1 if fabric is None else fabric.world_size
        self.rank: int = 0 if fabric is None else fabric.global_rank

    @property
    def alone(self) -> bool:
        return self.size == 1

    @property
    def leads(self) -> bool:
        """Whether this process writes the files and talks to the user."""
        return self.rank == 0

    @property
    def leads_node(self) -> bool:
        """Whether it is the first of its machine."""
        return self._fabric is None or self._fabric.local_rank == 0

    @property
    def node(self) -> int:
        """Which machine it is on."""
        return 0 if self._fabric is None else self._fabric.node_rank

    def check_batch(self, batch_size: int) -> None:
        """Raise a ConfigError where a batch has no sample for some process."""
        if batch_size < self.size:
            raise ConfigError(
                f"batch_size={batch_size} over {self.size} processes: expected a sample for each at least; it is the "
                "size of the batch of all of them together"
            )

    def part(self, n: int) -> slice:
        """The rows of a batch of n that are this process's."""
        return slice(self.rank * n // self.size, (self.rank + 1) * n // self.size)

    def sums(self, values: Sequence[float]) -> list[float]:
        """Each of the values, summed over all processes."""
        if self.alone:
            return list(values)
        told = torch.tensor(values, dtype=torch.float64).to(self._fabric.device)
        made: list[float] = self._fabric.all_reduce(told, reduce_op="sum").tolist()
        return made

    def broadcast(self, value: Any) -> Any:
        """The value of the first process, in all of them."""
        return value if self.alone else self._fabric.broadcast(value, src=0)

    def barrier(self) -> None:
        """Wait for the others."""
        if not self.alone:
            self._fabric.barrier()

    def average_gradients(self, parameters: Iterable[nn.Parameter], n: int) -> None:
        """Replace gradients, of this process's :meth:`part` of a batch of n, by those of the whole batch."""
        if self.alone:
            return
        part = self.part(n)
        share = (part.stop - part.start) / n
        by_dtype: dict[torch.dtype, list[nn.Parameter]] = {}
        for one in parameters:
            by_dtype.setdefault(one.dtype, []).append(one)
        for dtype, own in by_dtype.items():
            # what no process has a gradient for keeps none: an optimizer moves zeros, too
            has = torch.tensor([float(one.grad is not None) for one in own], dtype=dtype, device=own[0].device)
            grads = [torch.zeros_like(one) if one.grad is None else one.grad * share for one in own]
            flat = torch.cat([has, *(one.reshape(-1) for one in grads)])
            flat = self._fabric.all_reduce(flat, reduce_op="sum")
            known, *sums = flat.split([len(own), *(one.numel() for one in own)])
            for one, there, grad in zip(own, known.tolist(), sums, strict=True):
                one.grad = grad.reshape(one.shape).to(memory_format=_format_of(one)) if there else None

    def average_buffers(self, module: nn.Module) -> None:
        """Replace what each process counted for itself, such as the statistics of batch norms, by its mean."""
        if self.alone:
            return
        for buffer in module.buffers():
            if buffer.is_floating_point():
                buffer.copy_(self._fabric.all_reduce(buffer, reduce_op="mean"))

    def check_alike(self, fingerprint: str) -> None:
        """Raise a DataError, in all processes, unless all have read the same data."""
        first = self.broadcast(fingerprint)
        if self.sums([float(fingerprint != first)])[0]:
            raise DataError(
                f"the {self.size} processes read different samples (process {self.rank}: {fingerprint}, the first: "
                f"{first}): give all of them the same dataset, whole; random transforms of it are drawn once for all "
                "with cache_dir=, or belong into the blend"
            )


def _format_of(tensor: Tensor) -> torch.memory_format:
    last = tensor.ndim == 4 and tensor.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last else torch.contiguous_format
