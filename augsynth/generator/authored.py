"""What an author of a generator writes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from augsynth.search_space import SearchSpace


@dataclass
class TrainingBatch:
    """One step's worth of real samples.

    Attributes:
        x: n samples as generators see them.
        y: (n,) int64 class positions, or None when the generator is unconditional.
        seeds: (n,) int64, for :func:`augsynth.noise` and :func:`augsynth.uniform`; a function of the seed of the
            fit and the step, so that a resumed fit draws what an uninterrupted one would have drawn.
        step: number of the step, from 0.
        progress: share of the fit that is done, in [0, 1).
        topics: (n,) int64 topic positions, or None when the generator is not fitted by topic.
    """

    x: Any
    y: Tensor | None
    seeds: Tensor
    step: int
    progress: float
    topics: Tensor | None = None

    def of_each_class(self, classes: int) -> tuple[Tensor, Tensor]:
        """(m,) seeds and (m,) int64 class positions of as many samples of each class, two at least, class after class:
        for a step that makes samples and gets none, see :meth:`Generator.release`."""
        each = max(2, len(self.seeds) // classes)
        seeds = self.seeds.repeat(-(-classes * each // len(self.seeds)))[: classes * each]
        seeds = seeds + torch.arange(len(seeds), device=seeds.device)
        return seeds, torch.arange(classes, device=seeds.device).repeat_interleave(each)


class AuthoredGenerator(nn.Module):
    """The methods that a subclass of :class:`Generator` fills in, and the facts that it states."""

    modality: ClassVar[str] = "any"
    """The kind of data that it is fitted on; must agree with the plugin's spec. ``"any"``: tensors of any kind."""
    conditions: ClassVar[frozenset[str]] = frozenset({"label"})
    """What the samples can be conditioned on; must agree with the plugin's spec."""
    training_only: ClassVar[tuple[str, ...]] = ()
    """Submodules that only fitting needs (a discriminator): not saved, and dropped once fitted."""
    keeps_samples: ClassVar[bool] = False
    """Whether a checkpoint holds samples that it was fitted on, such as examples in prompts; its card says so."""
    costly: ClassVar[bool] = False
    """Whether each sample costs money or a long wait, as from a server. Then nothing is sampled that nobody asked for
    (no look at the samples after a fit, no preview in a checkpoint), and a blend, which would ask in every epoch, says
    that :func:`augsynth.record` asks once."""
    micro_batch: ClassVar[dict[str, int]] = {"cpu": 64}
    """Larger requests are made in equal parts of about this size, by kind of device (1024 where none is given). It
    bounds memory; on a CPU, 64 samples of 1×28×28 stay in the cache and take a fifth less time each than 256 do."""

    config: dict[str, Any]
    spec: Any

    def build(self, spec: Any, *args: Any, **config: Any) -> None:
        """Make the networks and assign them to ``self``; keyword arguments with defaults are the settings."""
        raise NotImplementedError(f"{type(self).__name__} must define build(spec, **config)")

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """The optimizers by name. Default: Adam over all parameters with the setting ``lr`` (1e-3)."""
        return {"model": torch.optim.Adam(self.parameters(), lr=float(self.config.get("lr", 1e-3)))}

    def training_step(self, batch: TrainingBatch) -> Mapping[str, Tensor]:
        """Named losses of one step.

        With one optimizer, the loop minimises the entry ``"loss"``. With several, call
        ``self.optimize(name, loss)`` for each update, in order, and return the losses for display.
        """
        raise NotImplementedError(f"{type(self).__name__} must define training_step(batch) or learn(data)")

    def draw(self, labels: Tensor | None, seeds: Tensor, *, temperature: float, truncation: float | None) -> Any:
        """``len(seeds)`` samples: (n, C, H, W) in [-1, 1], or n texts. Sample i must depend on ``seeds[i]`` and
        ``labels[i]`` only. Further keyword arguments, with defaults, become options of :meth:`sample`.

        Args:
            labels: (n,) int64 class positions, or None when unconditional.
            seeds: (n,) int64, to be passed to :func:`augsynth.noise` and :func:`augsynth.uniform`.
            temperature: factor on the spread of the noise; 0 gives the mode.
            truncation: bound on the noise in standard deviations, or None.

        A generator that declares the condition ``"topic"`` also takes ``topics``, (n,) int64 topic positions, or None
        when it was fitted without.
        """
        raise NotImplementedError(f"{type(self).__name__} must define draw(labels, seeds, *, temperature, truncation)")

    def learn(self, data: Any) -> None:
        """Replace the fitting loop: learn from all data at once. Override for models without gradient steps."""
        raise NotImplementedError

    def release(self, data: Any, mechanism: Any) -> None:
        """Read all that is needed of the data once, as statistics that ``mechanism.release(parts, sensitivity)`` hands
        back, and keep those. Override it to offer ``fit(privacy=...)``: the statistics then carry noise, and
        :meth:`training_step` and :meth:`learn` get no samples. Without privacy they are exact.

        Args:
            data: all samples: ``len``, ``model_x(slice)``, ``classes``.
            mechanism: an :class:`augsynth.authoring.Mechanism`; ``mechanism.counts``, (classes,) float, are the numbers
                of samples by class, with noise, or None without labels.
        """

    def sample_losses(self, batch: TrainingBatch) -> Tensor:
        """(n,) the loss of each sample of a batch, which no other sample of it may change. Override it to offer
        ``fit(privacy=...)`` by DP-SGD (Abadi et al. 2016), for generators with one optimizer: each step then clips
        what single samples want to change, and adds noise. :meth:`training_step` is not called, and
        :meth:`settings_from` and :meth:`finish` get no samples (``len(data) == 0``).
        """
        raise NotImplementedError

    def trained_module(self) -> nn.Module:
        """The module through whose layers samples pass in :meth:`sample_losses`, one by one: where parameters that are
        fitted are not in layers of the generator itself, such as an adapter's."""
        return self

    @classmethod
    def private_presets(cls, spec: Any, n: int) -> dict[str, Any]:
        """Settings, ``steps`` and ``batch_size`` that suit a private fit by gradient steps on ``n`` samples, in place
        of those of :meth:`presets`: smaller networks carry less noise, and larger batches outweigh it."""
        return {}

    @classmethod
    def settings_from(cls, data: Any, config: Mapping[str, Any]) -> dict[str, Any]:
        """Settings that follow from the samples themselves (a vocabulary), as plain data; called before :meth:`build`
        with the data and the settings that are given."""
        return {}

    def assess(self, data: Any) -> dict[str, Any]:
        """Figures about the fitted generator on held-out ``data``, for ``fit_info``."""
        return {}

    def finish(self, data: Any) -> None:
        """Called once after the last step, before sampling: fit what needs the trained networks."""

    def remark(self, given: Collection[str]) -> str | None:
        """One line that a user should hear before a fit: what is not as they may expect, such as networks that work at
        another size than the images'. None (default) for nothing.

        Args:
            given: the settings that were given, of which nothing need be said.
        """
        return None

    def validation_loss(self, batch: TrainingBatch) -> Tensor | None:
        """Loss on held-out samples, lower is better; None (default) keeps the last weights rather than the best."""
        return None

    @classmethod
    def presets(cls, spec: Any, n: int) -> dict[str, Any]:
        """Settings that suit ``n`` samples of ``spec``; may include ``steps``, ``batch_size`` and ``validation`` of
        the fit."""
        return {}

    @classmethod
    def search_space(cls) -> SearchSpace:
        """The settings that tuning may move, with bounds."""
        return {}

    def student_settings(self) -> dict[str, Any]:
        """Settings under which only the networks of :meth:`draw` are smaller: what :func:`augsynth.distill` gives a
        student where a user gives none. Empty (default) where there are no such settings. :meth:`draw` takes those
        networks by :meth:`for_sampling`, and calls them with tensors by position."""
        return {}

    def encode_batch(self, x: Tensor, labels: Tensor | None) -> Tensor:
        """Latents (n, d) of samples (n, C, H, W)."""
        raise NotImplementedError

    def decode_batch(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """Samples (n, C, H, W) of latents (n, d)."""
        raise NotImplementedError

    def reconstruct_batch(self, x: Tensor, labels: Tensor | None) -> Tensor:
        """The model's rendering (n, C, H, W) of given samples."""
        raise NotImplementedError

    def interpolate_batch(self, start: Tensor, end: Tensor, labels: Tensor | None, steps: int) -> Tensor:
        """(n, steps, C, H, W) on the way from ``start`` to ``end``."""
        raise NotImplementedError

    def log_prob_batch(self, x: Any, labels: Tensor | None) -> Tensor:
        """(n,) log-density of given samples, or a stated bound on it. Takes ``topics`` as :meth:`draw` does."""
        raise NotImplementedError

    def vary_batch(self, x: Any, labels: Tensor | None, seeds: Tensor, *, strength: float) -> Tensor:
        """Variations (n, C, H, W) of given samples, of the same class. Further keyword arguments, with defaults, become
        options of :meth:`vary`."""
        raise NotImplementedError
