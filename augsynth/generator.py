"""The base class of every generator: an author fills in a few short methods, users get the rest."""

from __future__ import annotations

import inspect
import json
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from augsynth import checkpoint, sampling_speed
from augsynth._one_or_many import is_one
from augsynth._rng_guard import preserved_rng
from augsynth.batch import Provenance, SampleBatch
from augsynth.errors import BrokenPluginError, CapabilityError, ConfigError, DataError, NotFittedError
from augsynth.inference import FastForms
from augsynth.search_space import SearchSpace
from augsynth.seeding import derive, seeds_for, uniform
from augsynth.space import Space
from augsynth.topic_spec import TopicSpec

log = logging.getLogger("augsynth")

_LABEL_STREAM, _TOPIC_STREAM = 0x1ABE1, 0x70B1C


@dataclass
class TrainingBatch:
    """One step's worth of real samples.

    Attributes:
        x: (n, C, H, W) float32 in [-1, 1], or n texts.
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


class Generator(nn.Module):
    """A model that yields new samples. Subclass it, and declare it with a :class:`augsynth.GeneratorSpec`.

    An author writes:

    - :meth:`build` makes the networks from the spec of the data and the configuration;
    - :meth:`training_step` returns named losses (with :meth:`optimizers` if Adam will not do), or :meth:`learn`
      replaces the loop for models that need none;
    - :meth:`draw` makes samples from seeds and labels.

    Optional: :meth:`finish`, :meth:`validation_loss`, :meth:`presets`, :meth:`search_space`, and the capabilities
    :meth:`encode_batch`, :meth:`decode_batch`, :meth:`reconstruct_batch`, :meth:`interpolate_batch`,
    :meth:`log_prob_batch`, :meth:`vary_batch`. These methods see float32 tensors (n, C, H, W) in [-1, 1] and int64
    class positions; :meth:`sample` and its companions convert from and to what the dataset yields, validate, batch,
    place on devices and trace provenance, alike for everyone.

    Args:
        config: the keyword arguments of :meth:`build`, and those of :meth:`presets` that are not given.

    Raises:
        ConfigError: a configuration key that :meth:`build` does not take.
    """

    modality: ClassVar[str] = "image"
    """What it is fitted on, ``"image"`` or ``"text"``; must agree with the plugin's spec."""
    conditions: ClassVar[frozenset[str]] = frozenset({"label"})
    """What the samples can be conditioned on; must agree with the plugin's spec."""
    training_only: ClassVar[tuple[str, ...]] = ()
    """Submodules that only fitting needs (a discriminator): not saved, and dropped once fitted."""
    micro_batch: ClassVar[dict[str, int]] = {"cpu": 64}
    """Larger requests are made in equal parts of about this size, by kind of device (1024 where none is given). It
    bounds memory; on a CPU, 64 images of 28×28 stay in the cache and take a fifth less time each than 256 do."""

    def __init__(self, **config: Any) -> None:
        super().__init__()
        known = _keywords(type(self).build)
        if known is not None and (unknown := sorted(set(config) - set(known))):
            raise ConfigError(
                f"{type(self).__name__} has no setting {', '.join(map(repr, unknown))}; "
                f"it has: {', '.join(sorted(known)) or 'none'}"
            )
        self.config: dict[str, Any] = config
        self.spec: Any = None  # a SampleSpec or a TextSpec, once fitted
        self.plugin: str | None = None
        self.plugin_version: str | None = None
        self.fit_info: dict[str, Any] = {}
        self.checkpoint_id = ""
        self._fast = FastForms()

    # ------------------------------------------------------------------ what an author writes

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

    def vary_batch(self, x: Any, labels: Tensor | None, seeds: Tensor, *, strength: float, **options: Any) -> Tensor:
        """Variations (n, C, H, W) of given samples, of the same class."""
        raise NotImplementedError

    # ------------------------------------------------------------------ what users call

    @property
    def capabilities(self) -> frozenset[str]:
        """The optional operations this generator offers, out of ``encode``, ``decode``, ``reconstruct``,
        ``interpolate``, ``log_prob`` and ``vary``."""
        names = ("encode", "decode", "reconstruct", "interpolate", "log_prob", "vary")
        return frozenset(
            name for name in names if getattr(type(self), f"{name}_batch") is not getattr(Generator, f"{name}_batch")
        )

    @property
    def conditional(self) -> bool:
        """Whether samples can be requested by label."""
        return self.spec is not None and self.spec.labels is not None

    @property
    def device(self) -> torch.device:
        """The device that the weights are on."""
        return next((tensor.device for tensor in self._tensors()), torch.device("cpu"))

    def sample(
        self,
        n: int | None = None,
        *,
        labels: Any = None,
        topics: Any = None,
        temperature: float = 1.0,
        truncation: float | None = None,
        seed: int | None = None,
        seeds: Tensor | Sequence[int] | None = None,
        **options: Any,
    ) -> SampleBatch:
        """New samples, in the form that the dataset yields.

        Args:
            n: how many; may be left out when ``labels`` or ``seeds`` is a sequence, else 1.
            labels: one label for all, a sequence of n, or None for the training distribution. Values or names.
            topics: the same for topics, of a generator that was fitted by topic: id, name, or free words, which are
                matched to the nearest topic (a :class:`TopicMatchWarning` says which). None draws them as frequent as
                they are among the real texts of the label.
            temperature: spread of the noise, 1 as fitted, 0 the mode of each class.
            truncation: bound on the noise in standard deviations: fidelity against diversity.
            seed: seed of the request; the seed of sample i is derived from it and i. None draws from torch's RNG.
            seeds: n seeds, one each, in place of ``seed``.
            options: of the generator, such as ``top_p`` for text.

        Returns:
            A :class:`SampleBatch`. A sample depends on its seed and condition, never on the batch it was made in, up to
            floating-point rounding between batch shapes.

        Raises:
            NotFittedError: not fitted.
            ConfigError, UnknownLabelError, UnknownTopicError: an argument cannot be used; the message has the value.
        """
        spec = self._fitted_spec()
        if not isinstance(temperature, (int, float)) or not 0.0 <= temperature < math.inf:
            raise ConfigError(f"temperature={temperature!r}: expected a number from 0 up")
        if truncation is not None and not (isinstance(truncation, (int, float)) and 0.0 < truncation < math.inf):
            raise ConfigError(f"truncation={truncation!r}: expected a positive number or None")
        self._check_options(options)
        n = _requested(n, labels=labels, topics=topics, seeds=seeds)
        row_seeds = seeds_for(n, seed=seed, seeds=seeds)
        classes = self._requested_classes(labels, row_seeds)
        about = self._requested_topics(topics, classes, row_seeds)

        x = self.draw_many(classes, row_seeds, about, temperature=temperature, truncation=truncation, **options)
        settings: dict[str, Any] = {"temperature": float(temperature), "truncation": float(truncation or 0.0)}
        settings |= {key: value for key, value in options.items() if isinstance(value, (bool, int, float, str))}
        return self._batch(spec, x, classes, row_seeds, settings, about)

    def vary(
        self,
        x: Any,
        y: Any = None,
        *,
        strength: float = 1.0,
        seed: int | None = None,
        seeds: Tensor | Sequence[int] | None = None,
        **options: Any,
    ) -> SampleBatch:
        """New samples of the same class around given real ones.

        Args:
            x: n inputs as the dataset yields them: a list, or stacked in a tensor or array (n, ...).
            y: their n labels; needed when the generator is conditional.
            strength: how far to go; 0 gives ``x`` back. On long-tailed Fashion-MNIST, 1 did better than 0.5
                (``benchmarks/bench_vary.py``).
            seed, seeds: as for :meth:`sample`.
            options: of the generator, such as ``method``.

        Raises:
            CapabilityError: this generator cannot vary samples.
        """
        spec = self._fitted_spec()
        self._require("vary")
        if not isinstance(strength, (int, float)) or not 0.0 <= strength < math.inf:
            raise ConfigError(f"strength={strength!r}: expected a number from 0 up")
        raw = self._inputs(x)
        row_seeds = seeds_for(len(raw), seed=seed, seeds=seeds)
        classes = self._given_classes(y, len(raw))

        def vary(part: slice) -> Any:
            return self.vary_batch(
                self._placed(raw[part]),
                self._part(classes, part),
                row_seeds[part].to(self.device),
                strength=float(strength),
                **options,
            )

        return self._batch(spec, self._in_parts(len(raw), vary), classes, row_seeds, {"strength": float(strength)})

    def encode(self, x: Any, y: Any = None) -> Tensor:
        """Latents (n, d) float32 of n inputs in the dataset's form. Raises CapabilityError where not offered."""
        return self._map("encode", self._inputs(x), y)

    def decode(self, z: Tensor, y: Any = None) -> Any:
        """Inputs in the dataset's form of latents (n, d). Raises CapabilityError where not offered."""
        return self._fitted_spec().batched(self._map("decode", torch.as_tensor(z, dtype=torch.float32), y))

    def reconstruct(self, x: Any, y: Any = None) -> Any:
        """The model's rendering of n inputs, in the dataset's form. Raises CapabilityError where not offered."""
        return self._fitted_spec().batched(self._map("reconstruct", self._inputs(x), y))

    def log_prob(self, x: Any, y: Any = None, *, topics: Any = None) -> Tensor:
        """(n,) log-density of n inputs, given their labels and topics. Of a generator that was fitted by topic,
        ``topics=None`` takes the topic that the words of a text tell. Raises CapabilityError where not offered."""
        inputs = self._inputs(x)
        return self._map("log_prob", inputs, y, self._given_topics(topics, inputs))

    def interpolate(self, start: Any, end: Any, y: Any = None, *, steps: int = 8) -> list[Any]:
        """For each of n pairs of inputs, ``steps`` samples on the way from the first to the second.

        Returns:
            n entries, each in the dataset's form with ``steps`` samples. Raises CapabilityError where not offered.
        """
        spec = self._fitted_spec()
        self._require("interpolate")
        if not isinstance(steps, int) or steps < 2:
            raise ConfigError(f"steps={steps!r}: expected an integer of 2 or more")
        a, b = self._inputs(start), self._inputs(end)
        if len(a) != len(b):
            raise ConfigError(f"start has {len(a)} samples and end {len(b)}; they must be equal in number")
        classes = self._given_classes(y, len(a))
        with self._inference():
            paths = self.interpolate_batch(
                a.to(self.device), b.to(self.device), None if classes is None else classes.to(self.device), steps
            )
        return [spec.batched(path) for path in paths]

    def save(self, path: str | Path) -> Path:
        """Write a checkpoint folder; whatever stood at ``path`` stays whole until the new one is complete.

        The folder holds ``model.safetensors``, ``generator.json``, a model card ``README.md`` and ``preview.png``.
        No pickle, no training sample. Load it with :func:`augsynth.load`.
        """
        return checkpoint.save(self, path)

    # ------------------------------------------------------------------ what the core calls

    def prepare(self, spec: Space, *, n: int = 0, seed: int = 0) -> None:
        """Resolve the settings and build the networks, with initial weights that follow ``seed`` alone."""
        keywords = _keywords(type(self).build)
        presets = {
            key: value for key, value in type(self).presets(spec, n).items() if keywords is None or key in keywords
        }
        resolved = {**(keywords or {}), **presets, **self.config}
        try:
            self.config = json.loads(json.dumps(resolved))
        except TypeError as error:
            raise ConfigError(
                f"a setting of {type(self).__name__} is not plain data: {error}; got {resolved}"
            ) from None
        self.spec = spec
        with preserved_rng(cuda=True):
            torch.manual_seed(int(derive(seed, 0xB01D)))
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
        if self.training or torch.is_grad_enabled():
            return module
        return self._fast.get(name, module)

    def tune_sampling(
        self, n: int = 256, *, compile: bool = False, autocast: bool = False, again: bool = False
    ) -> dict[str, Any]:
        """Measure in parts of what size ``n`` samples are made fastest on this device, and keep to it.

        It is measured once for a machine and a generator, and remembered in the user's cache folder.

        Args:
            n: size of a request, such as a batch times the ratio.
            compile: compile the networks with ``torch.compile``, which takes half a minute or so, in each process.
                Where that fails, sampling goes on without, and a log entry says why.
            autocast: try bfloat16 as well, for images. It is kept where it is faster by 5 % and leaves 999 of 1,000
                values within one level of an 8-bit image; samples then agree between sizes of batches to that
                precision only.
            again: measure although it is known.

        Returns:
            ``micro_batch``, ``samples_per_second`` by size, ``compiled`` and ``autocast``.
        """
        self._fitted_spec()
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise ConfigError(f"n={n!r}: expected a whole number from 1 up")
        return sampling_speed.tuned(self, n, compile=compile, autocast=autocast, again=again)

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

    # ------------------------------------------------------------------ private

    @property
    def _name(self) -> str:
        return self.plugin or type(self).__name__

    @property
    def _conditions_now(self) -> list[str]:
        return ["label"] * self.conditional + ["topic"] * (self._known_topics is not None)

    @property
    def _known_topics(self) -> TopicSpec | None:
        return getattr(self.spec, "topics", None)

    def _tensors(self) -> Iterator[Tensor]:
        yield from self.parameters()
        yield from self.buffers()

    def _fitted_spec(self) -> Any:
        if self.spec is None:
            raise NotFittedError(
                f"this {type(self).__name__} is not fitted: use augsynth.fit(...) or augsynth.load(...)"
            )
        return self.spec

    def _require(self, capability: str) -> None:
        if capability not in self.capabilities:
            raise CapabilityError(f"{self._name} cannot {capability}; it offers: {_listed(sorted(self.capabilities))}")

    def _inference(self) -> Any:
        if self.training:
            self.eval()
        return torch.no_grad()

    def _check_options(self, options: Mapping[str, Any]) -> None:
        if not options:
            return
        known = {name for name, p in inspect.signature(self.draw).parameters.items() if p.kind is p.KEYWORD_ONLY}
        known -= {"temperature", "truncation", "topics"}
        if unknown := sorted(set(options) - known):
            raise ConfigError(
                f"{self._name} has no option {', '.join(map(repr, unknown))} of sampling; it has: "
                f"{_listed(sorted(known))}"
            )

    def _in_parts(self, n: int, make: Any) -> Any:
        spec = self._fitted_spec()
        with self._inference():
            return spec.joined([make(part) for part in self.parts(n)])

    def _batch(
        self,
        spec: Space,
        x: Any,
        classes: Tensor | None,
        seeds: Tensor,
        settings: dict[str, Any],
        topics: Tensor | None = None,
    ) -> SampleBatch:
        if flaw := spec.flaw(x, len(seeds)):
            raise BrokenPluginError(f"{self._name} {flaw}")
        labels = spec.labels if classes is not None else None
        common = {"plugin": self._name, "checkpoint": self.checkpoint_id, **settings}
        y = None if labels is None or classes is None else labels.batched(classes)
        conditions: dict[str, tuple[Any, Tensor | None]] = {"condition": (labels, classes)}
        if topics is not None:
            conditions["topic"] = (self._known_topics, topics)
        return SampleBatch(spec.batched(x), y, Provenance(seeds, conditions, common), x, classes, topics)

    def _requested_classes(self, labels: Any, seeds: Tensor) -> Tensor | None:
        spec = self._fitted_spec()
        if spec.labels is None:
            if labels is not None:
                raise ConfigError(
                    f"labels={labels!r}: this generator was fitted without labels and cannot be asked for one; "
                    "fit it on labelled data"
                )
            return None
        if labels is None:
            counts = torch.tensor(spec.labels.counts, dtype=torch.float64)
            edges = counts.cumsum(0) / counts.sum()
            u = uniform(seeds, stream=_LABEL_STREAM).double()
            return torch.searchsorted(edges, u, right=True).clamp(max=len(counts) - 1)
        if is_one(labels):
            return torch.full((len(seeds),), spec.labels.index(labels))
        return spec.labels.indices(labels)

    def _requested_topics(self, topics: Any, classes: Tensor | None, seeds: Tensor) -> Tensor | None:
        known = self._known_topics
        if known is None:
            if topics is not None:
                raise ConfigError(
                    f"topics={topics!r}: this generator is conditioned on {_listed(self._conditions_now)}, not on "
                    'topics; fit one that can be ("lstm") with topics=...'
                )
            return None
        if topics is None:
            return known.drawn(classes, uniform(seeds, stream=_TOPIC_STREAM))
        return known.indices(topics, len(seeds))

    def _given_topics(self, topics: Any, texts: Any) -> Tensor | None:
        known = self._known_topics
        if known is None or topics is not None:
            return None if known is None else known.indices(topics, len(texts))
        most_frequent = max(range(len(known)), key=lambda i: sum(row[i] for row in known.counts))
        told = [known.nearest(text, similar=False) for text in texts]
        return torch.tensor([most_frequent if topic is None else topic for topic in told], dtype=torch.int64)

    def _part(self, positions: Tensor | None, part: slice) -> Tensor | None:
        return None if positions is None else positions[part].to(self.device)

    def _topics_of(self, topics: Tensor | None, part: slice) -> dict[str, Tensor | None]:
        # generators that know no topics need not take the argument
        return {} if topics is None else {"topics": self._part(topics, part)}

    def _given_classes(self, y: Any, n: int) -> Tensor | None:
        spec = self._fitted_spec()
        if spec.labels is None:
            return None
        if y is None:
            raise ConfigError("y is needed: this generator is conditional; pass the labels of the samples")
        classes = torch.full((n,), spec.labels.index(y)) if is_one(y) else spec.labels.indices(y)
        if len(classes) != n:
            raise ConfigError(f"y has {len(classes)} labels for {n} samples")
        return classes

    def _inputs(self, x: Any) -> Any:
        """n inputs in the dataset's form, as generators see them."""
        spec = self._fitted_spec()
        if spec.modality == "image":
            if isinstance(x, (Tensor, np.ndarray)) and x.ndim < (3 if spec.layout == "HW" else 4):
                raise DataError(f"an input of shape {tuple(x.shape)}: expected n of them, stacked or in a list")
        elif isinstance(x, str):
            raise DataError(f"one text, {x!r}: expected n of them in a list")
        if not isinstance(x, (Tensor, np.ndarray, Sequence)):
            raise DataError(
                f"inputs of type {type(x).__name__}: expected a list, a tensor (n, ...) or an array (n, ...)"
            )
        return spec.raw_to_model(spec.stacked([spec.to_raw(one) for one in x]))

    def _placed(self, inputs: Any) -> Any:
        return inputs.to(self.device) if isinstance(inputs, Tensor) else inputs

    def _map(self, capability: str, inputs: Any, y: Any, topics: Tensor | None = None) -> Tensor:
        self._fitted_spec()
        self._require(capability)
        classes = self._given_classes(y, len(inputs))
        method = getattr(self, f"{capability}_batch")
        with self._inference():
            parts = [
                method(self._placed(inputs[part]), self._part(classes, part), **self._topics_of(topics, part))
                for part in self.parts(len(inputs)) or [slice(0, 0)]
            ]
        result: Tensor = torch.cat(parts)
        return result.cpu()


def _keywords(build: Any) -> dict[str, Any] | None:
    """The settings that ``build`` takes, with defaults; None when it takes any."""
    parameters = list(inspect.signature(build).parameters.values())[2:]
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    return {p.name: None if p.default is p.empty else p.default for p in parameters}


def _requested(n: int | None, **several: Any) -> int:
    lengths = {name: len(value) for name, value in several.items() if value is not None and not is_one(value)}
    if n is not None and (isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0):
        raise ConfigError(f"n={n!r}: expected a whole number from 0 up")
    if n is not None:
        lengths["n"] = int(n)
    if len(set(lengths.values())) > 1:
        raise ConfigError(f"the request is contradictory: {', '.join(f'{k} asks for {v}' for k, v in lengths.items())}")
    return next(iter(lengths.values()), 1)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"
