"""What the core calls on a generator: to make it ready, to draw in parts, to read its state."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from augsynth._freed_memory import keep_freed_memory
from augsynth._names import name_of
from augsynth._rng_guard import preserved_rng, seed_torch
from augsynth.errors import BrokenPluginError, ConfigError, NotFittedError
from augsynth.generator.authored import AuthoredGenerator
from augsynth.generator.options import check_draw, refused_settings
from augsynth.inference import FastForms
from augsynth.sample_spec import SampleSpec
from augsynth.seeding import derive, is_tracing


class CoreGenerator(AuthoredGenerator):
    """An authored generator with its state; :class:`Generator` adds what users call."""

    def __init__(self, **config: Any) -> None:
        super().__init__()
        known = keywords(type(self).build)
        if known is not None and (unknown := sorted(set(config) - set(known))):
            raise ConfigError(refused_settings(type(self).__name__, unknown, sorted(known)))
        self.config: dict[str, Any] = config
        self.spec: Any = None  # a SampleSpec, once fitted
        self.plugin: str | None = None
        self.plugin_version: str | None = None
        self.fit_info: dict[str, Any] = {}
        self.checkpoint_id = ""
        self._fast = FastForms()

    @property
    def _name(self) -> str:
        """Qualified name of the plugin, or of the class where it is none."""
        return name_of(self)

    @property
    def device(self) -> torch.device:
        """The device that the weights are on."""
        return next((tensor.device for tensor in self._tensors()), torch.device("cpu"))

    def prepare(self, spec: SampleSpec, *, n: int = 0, seed: int = 0) -> None:
        """Resolve the settings and build the networks, with initial weights that follow ``seed`` alone."""
        check_draw(self)
        known = keywords(type(self).build)
        presets = {key: value for key, value in type(self).presets(spec, n).items() if known is None or key in known}
        resolved = {**(known or {}), **presets, **self.config}
        try:
            self.config = json.loads(json.dumps(resolved))
        except TypeError as error:
            raise ConfigError(
                f"a setting of {type(self).__name__} is not plain data: {error}; got {resolved}"
            ) from None
        self.spec = spec
        with preserved_rng(cuda=True):
            seed_torch(int(derive(seed, 0xB01D)))
            self.build(spec, **self.config)
        # convolutions on a CPU gain up to a factor of two
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def optimize(self, name: str, loss: Tensor) -> None:
        """One update of the optimizer ``name``; only inside :meth:`training_step`."""
        raise NotFittedError("optimize() works only inside training_step, while augsynth.fit runs")

    def draw_many(
        self,
        classes: Tensor | None,
        seeds: Tensor,
        topics: Tensor | None = None,
        *,
        temperature: float = 1.0,
        truncation: float | None = None,
        **options: Any,
    ) -> Any:
        """What :meth:`draw` makes, in parts that suit the device: n samples as generators see them, where the
        generator is. Arguments are positions, (n,) int64, and are not checked."""
        own_draw: Any = self.draw  # whose keyword arguments the options are

        def draw(part: slice) -> Any:
            return own_draw(
                self._part(classes, part),
                seeds[part].to(self.device),
                temperature=float(temperature),
                truncation=truncation,
                **self._topics_of(topics, part),
                **options,
            )

        return self._in_parts(len(seeds), draw)

    def for_sampling(self, name: str) -> Any:
        """The submodule ``name``, for :meth:`draw`: in its inference form (batch norms folded, frozen,
        ``channels_last``), unless gradients are being computed. It is made once, and anew when weights change."""
        module = getattr(self, name)
        if self.training or torch.is_grad_enabled() or is_tracing():
            return module
        return self._fast.get(name, module)

    def parts(self, n: int) -> list[slice]:
        """Cut n samples into equal parts of about :attr:`micro_batch`."""
        if not n:
            return []
        count = max(1, round(n / self.micro_batch.get(self.device.type, 1024)))
        edges = [i * n // count for i in range(count + 1)]
        return [slice(a, b) for a, b in pairwise(edges)]

    def drop_training_modules(self) -> None:
        """Forget what only fitting needs."""
        for name in self.training_only:
            if hasattr(self, name):
                delattr(self, name)

    def inference_state(self) -> dict[str, Tensor]:
        """The weights and buffers that sampling needs."""
        skipped = tuple(f"{name}." for name in self.training_only)
        return (
            {name: tensor for name, tensor in self.state_dict().items() if not name.startswith(skipped)}
            if skipped
            else self.state_dict()
        )

    def _fitted_spec(self) -> Any:
        """The spec, or a NotFittedError."""
        if self.spec is None:
            raise NotFittedError(
                f"this {type(self).__name__} is not fitted: use augsynth.fit(...) or augsynth.load(...)"
            )
        return self.spec

    def _inference(self) -> Any:
        """A context in which samples are made: in evaluation mode, without gradients."""
        if self.training:
            self.eval()
        return torch.no_grad()

    def _in_parts(self, n: int, make: Any) -> Any:
        """``make(part)`` of each of :meth:`parts`, joined."""
        spec = self._fitted_spec()
        if self.device.type == "cpu":
            keep_freed_memory()
        with self._inference():
            made = [make(part) for part in self.parts(n)]
        if made and spec.tensors and (made[0] is None or isinstance(made[0], (np.ndarray, list, tuple))):
            raise BrokenPluginError(f"{self._name} made a {type(made[0]).__name__}, expected a tensor (n, ...)")
        return spec.joined(made)

    def _part(self, positions: Tensor | None, part: slice) -> Tensor | None:
        """Some rows of a tensor of conditions, on the device of the generator."""
        return None if positions is None else positions[part].to(self.device)

    def _topics_of(self, topics: Tensor | None, part: slice) -> dict[str, Tensor | None]:
        """The keyword argument ``topics``, where there are topics: generators that know none need not take it."""
        return {} if topics is None else {"topics": self._part(topics, part)}

    def _tensors(self) -> Iterator[Tensor]:
        yield from self.parameters()
        yield from self.buffers()


def keywords(build: Any) -> dict[str, Any] | None:
    """The settings that ``build`` takes, with defaults; None when it takes any."""
    parameters = list(inspect.signature(build).parameters.values())[2:]
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    return {p.name: None if p.default is p.empty else p.default for p in parameters}
