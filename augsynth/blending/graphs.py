"""A generator's forward pass as one CUDA graph: no launch of a kernel waits for Python."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from augsynth.inference import signature

log = logging.getLogger("augsynth")

_STEP = 16  # sizes of requests are rounded up to its multiples
_WARM_UP = 3  # as PyTorch's documentation of CUDA graphs advises


class GraphedDraw:
    """``gen.draw_many``, captured once for each size of request and replayed.

    Sizes are rounded up to a multiple of 16, and what was not asked for is cut off: a sample depends on its own seed
    alone. Graphs are captured anew when weights change. Where sizes still vary much, and where a generator cannot be
    captured (one that looks at values of tensors), samples are drawn without; of the latter the log says so once.

    Args:
        gen: the generator, on a CUDA device.
        options: of sampling.
    """

    def __init__(self, gen: Any, options: Mapping[str, Any]) -> None:
        self.gen, self.options = gen, dict(options)
        self._graphs: dict[tuple[int, bool], tuple[Any, Tensor | None, Tensor, Tensor]] = {}
        self._failed = False
        self._signature: tuple[tuple[int, int], ...] = ()

    def __call__(self, classes: Tensor | None, seeds: Tensor) -> Tensor:
        """(n, C, H, W) in [-1, 1]; valid until the next call."""
        if self._failed or self.gen.device.type != "cuda":
            return self._plain(classes, seeds)
        if (now := signature(self.gen)) != self._signature:
            self._graphs.clear()  # they hold the weights of before
            self._signature = now
        n, size = len(seeds), -(-len(seeds) // _STEP) * _STEP
        key = (size, classes is not None)
        if key not in self._graphs:
            if len(self._graphs) >= 4:  # sizes vary: every graph keeps memory of its own
                return self._plain(classes, seeds)
            try:
                self._graphs[key] = self._captured(
                    None if classes is None else _padded(classes, size), _padded(seeds, size)
                )
            except RuntimeError as error:
                self._failed = True
                log.warning("the generator cannot be captured as a CUDA graph: %s", str(error).splitlines()[0])
                return self._plain(classes, seeds)
        graph, static_classes, static_seeds, made = self._graphs[key]
        if static_classes is not None and classes is not None:
            static_classes[:n].copy_(classes, non_blocking=True)
        static_seeds[:n].copy_(seeds, non_blocking=True)
        graph.replay()
        return made[:n]

    def _plain(self, classes: Tensor | None, seeds: Tensor) -> Tensor:
        made: Tensor = self.gen.draw_many(classes, seeds, **self.options)
        return made

    def _captured(self, classes: Tensor | None, seeds: Tensor) -> tuple[Any, Tensor | None, Tensor, Tensor]:
        device = self.gen.device
        own_classes = None if classes is None else classes.to(device, copy=True)
        own_seeds = seeds.to(device, copy=True)
        side = torch.cuda.Stream(device)
        side.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(side):
            for _ in range(_WARM_UP):
                self._plain(own_classes, own_seeds)
        torch.cuda.current_stream(device).wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            made = self._plain(own_classes, own_seeds)
        return graph, own_classes, own_seeds, made


def _padded(part: Tensor, size: int) -> Tensor:
    """``part`` with zeros behind it."""
    return torch.nn.functional.pad(part, (0, size - len(part)))
