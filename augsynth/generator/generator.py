"""What users call on a generator."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from augsynth import sampling_speed
from augsynth._numbers import check_whole
from augsynth._one_or_many import is_one
from augsynth.batch import Provenance, SampleBatch
from augsynth.checkpoint.writing import save
from augsynth.errors import BrokenPluginError, CapabilityError, ConfigError
from augsynth.exporting import export_onnx
from augsynth.generator.core import CoreGenerator
from augsynth.generator.options import REQUEST, refused, unknown_options
from augsynth.generator.strengths import Strength, by_strength, strengths
from augsynth.hub import push
from augsynth.sample_spec import SampleSpec
from augsynth.seeding import seeds_for, uniform
from augsynth.topic_spec import TopicSpec

_TOPIC_STREAM = 0x70B1C
CAPABILITIES = ("encode", "decode", "reconstruct", "interpolate", "log_prob", "vary")


class Generator(CoreGenerator):
    """A model that yields new samples. Subclass it, and declare it with a :class:`augsynth.authoring.GeneratorSpec`.

    An author writes:

    - :meth:`build` makes the networks from the spec of the data and the configuration;
    - :meth:`training_step` returns named losses (with :meth:`optimizers` if Adam will not do), or :meth:`learn`
      replaces the loop for models that need none;
    - :meth:`draw` makes samples from seeds and labels.

    Optional: :meth:`finish`, :meth:`validation_loss`, :meth:`presets`, :meth:`search_space`, and the capabilities
    :meth:`encode_batch`, :meth:`decode_batch`, :meth:`reconstruct_batch`, :meth:`interpolate_batch`,
    :meth:`log_prob_batch`, :meth:`vary_batch`. These methods see samples in the form
    that the spec of the data takes them to, such as float32 tensors in [-1, 1], and int64 class positions;
    :meth:`sample` and its companions convert from and to what the dataset yields, validate, batch,
    place on devices and trace provenance, alike for everyone.

    Args:
        config: the keyword arguments of :meth:`build`, and those of :meth:`presets` that are not given.

    Raises:
        ConfigError: a configuration key that :meth:`build` does not take.
    """

    @property
    def capabilities(self) -> frozenset[str]:
        """The optional operations this generator offers, out of ``encode``, ``decode``, ``reconstruct``,
        ``interpolate``, ``log_prob`` and ``vary``."""
        own = type(self)
        return frozenset(
            name for name in CAPABILITIES if getattr(own, f"{name}_batch") is not getattr(Generator, f"{name}_batch")
        )

    @property
    def conditional(self) -> bool:
        """Whether samples can be requested by label."""
        return self.spec is not None and self.spec.labels is not None

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
            options: of the generator, such as ``top_p`` of a language model.

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
        known = spec.labels
        own = len(labels) if labels is not None and known is not None and known.several(labels) else None
        n = _requested(n, own=own, labels=labels if known is None else None, topics=topics, seeds=seeds)
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
        strength: Strength = 1.0,
        seed: int | None = None,
        seeds: Tensor | Sequence[int] | None = None,
        **options: Any,
    ) -> SampleBatch:
        """New samples of the same class around given real ones.

        Args:
            x: n inputs as the dataset yields them: a list, or stacked in a tensor or array (n, ...).
            y: their n labels; needed when the generator is conditional.
            strength: how far to go, for all or one for each; 0 gives ``x`` back. On long-tailed Fashion-MNIST, 1 did
                better than 0.5 (``benchmarks/bench_vary.py``).
            seed, seeds: as for :meth:`sample`.
            options: of the generator, such as ``method``.

        Raises:
            CapabilityError: this generator cannot vary samples.
        """
        spec = self._fitted_spec()
        self._require("vary")
        unknown, known = unknown_options(self.vary_batch, options, "strength", open_ended=True)
        if unknown:
            raise ConfigError(refused(f"vary of {self._name}", unknown, known, ("strength", "seed", "seeds")))
        raw = spec.inputs(x)
        row_seeds = seeds_for(len(raw), seed=seed, seeds=seeds)
        classes = self._given_classes(y, len(raw))

        own = strengths(strength, len(raw))

        def vary(part: slice) -> Any:
            x, y, own_seeds = self._placed(raw[part]), self._part(classes, part), row_seeds[part].to(self.device)

            def alike(rows: Any, far: float) -> Any:
                return self.vary_batch(
                    x[rows], None if y is None else y[rows], own_seeds[rows], strength=far, **options
                )

            return by_strength(own[part], alike, spec.joined)

        return self._batch(spec, self._in_parts(len(raw), vary), classes, row_seeds, {"strength": own})

    def encode(self, x: Any, y: Any = None) -> Tensor:
        """Latents (n, d) float32 of n inputs in the dataset's form. Raises CapabilityError where not offered."""
        return self._map("encode", self._fitted_spec().inputs(x), y)

    def decode(self, z: Tensor, y: Any = None) -> Any:
        """Inputs in the dataset's form of latents (n, d). Raises CapabilityError where not offered."""
        return self._made("decode", torch.as_tensor(z, dtype=torch.float32), y)

    def reconstruct(self, x: Any, y: Any = None) -> Any:
        """The model's rendering of n inputs, in the dataset's form. Raises CapabilityError where not offered."""
        return self._made("reconstruct", self._fitted_spec().inputs(x), y)

    def log_prob(self, x: Any, y: Any = None, *, topics: Any = None) -> Tensor:
        """(n,) log-density of n inputs, given their labels and topics. Of a generator that was fitted by topic,
        ``topics=None`` takes the topic that the words of a text tell. Raises CapabilityError where not offered."""
        inputs = self._fitted_spec().inputs(x)
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
        a, b = spec.inputs(start), spec.inputs(end)
        if len(a) != len(b):
            raise ConfigError(f"start has {len(a)} samples and end {len(b)}; they must be equal in number")
        classes = self._given_classes(y, len(a))
        with self._inference():
            paths = self.interpolate_batch(self._placed(a), self._placed(b), self._part(classes, slice(None)), steps)
        return [spec.batched(path) for path in paths]

    def save(self, path: str | Path) -> Path:
        """Write a checkpoint folder; one that stood at ``path`` stays whole until the new one is complete.

        The folder holds ``model.safetensors``, ``generator.json``, a model card ``README.md`` and a preview. No pickle;
        no training sample, unless ``keeps_samples`` says so. :func:`augsynth.load` loads it. Raises CheckpointError
        where ``path`` holds anything else, which would be lost."""
        return save(self, path)

    def export(
        self,
        format: str,
        path: str | Path,
        *,
        temperature: float = 1.0,
        truncation: float | None = None,
        **options: Any,
    ) -> Path:
        """Write the sampler as one file, which samples without augsynth and torch.

        It takes ``seeds`` (n,) int64 and, of a conditional generator, ``labels`` (n,) int64 class positions, and gives
        ``x``, n samples in the dtype and range of the dataset: those that :meth:`sample` gives for these seeds, against
        which it is held in onnxruntime before it is written.

        Args:
            format: ``"onnx"`` (the extra ``onnx``).
            path: of the file, which ends in ``.onnx``.
            temperature, truncation, options: as of :meth:`sample`, fixed in the file.

        Raises:
            CapabilityError: this generator cannot be exported; says why.
            ConfigError: another format, or an option that there is not.
        """
        self._fitted_spec()
        if format != "onnx":
            raise ConfigError(f"format={format!r}: expected 'onnx'")
        self._check_options(options)
        return export_onnx(self, Path(path), {"temperature": temperature, "truncation": truncation, **options})

    def push_to_hub(
        self, repo_id: str, *, private: bool = False, token: str | None = None, message: str = "Upload with augsynth"
    ) -> str:
        """Save to the Hugging Face Hub (the extra ``hub``); ``augsynth.load("hf:" + repo_id)`` loads it from there.

        Args:
            repo_id: ``owner/name``; made if there is none.
            private: whether only you see it.
            token: None takes that of ``hf auth login``.
            message: of the commit, whose address is returned.

        Raises:
            CheckpointError: it cannot be written to.
        """
        self._fitted_spec()
        return push(self, repo_id, private=private, token=token, message=message)

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
        check_whole(n=n)
        return sampling_speed.tuned(self, n, compile=compile, autocast=autocast, again=again)

    # ------------------------------------------------------------------ private

    @property
    def _conditions_now(self) -> list[str]:
        return ["label"] * self.conditional + ["topic"] * (self._known_topics is not None)

    @property
    def _known_topics(self) -> TopicSpec | None:
        return getattr(self.spec, "topics", None)

    def _require(self, capability: str) -> None:
        if capability not in self.capabilities:
            raise CapabilityError(f"{self._name} cannot {capability}; it offers: {_listed(sorted(self.capabilities))}")

    def _check_options(self, options: Mapping[str, Any]) -> None:
        unknown, known = unknown_options(self.draw, options, "temperature", "truncation", "topics")
        if unknown:
            raise ConfigError(refused(f"sample of {self._name}", unknown, known, REQUEST))

    def _batch(
        self,
        spec: SampleSpec,
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
        known = self._fitted_spec().labels
        if known is None:
            if labels is not None:
                raise ConfigError(
                    f"labels={labels!r}: this generator was fitted without labels and cannot be asked for one; "
                    "fit it on labelled data"
                )
            return None
        found: Tensor = known.drawn(seeds) if labels is None else known.requested(labels, len(seeds))
        if len(found) != len(seeds):
            raise ConfigError(f"labels has {len(found)} entries for {len(seeds)} samples")
        return found

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

    def _given_topics(self, topics: Any, inputs: Any) -> Tensor | None:
        known = self._known_topics
        if known is None:
            return None
        told: Tensor = self.spec.likely_topics(inputs) if topics is None else known.indices(topics, len(inputs))
        return told

    def _given_classes(self, y: Any, n: int) -> Tensor | None:
        known = self._fitted_spec().labels
        if known is None:
            return None
        if y is None:
            raise ConfigError("y is needed: this generator is conditional; pass the labels of the samples")
        classes: Tensor = known.requested(y, n)
        if len(classes) != n:
            raise ConfigError(f"y has {len(classes)} labels for {n} samples")
        return classes

    def _placed(self, inputs: Any) -> Any:
        return self._fitted_spec().placed(inputs, self.device)

    def _made(self, capability: str, inputs: Any, y: Any) -> Any:
        return self._fitted_spec().batched(self.spec.joined(self._each_part(capability, inputs, y)))

    def _map(self, capability: str, inputs: Any, y: Any, topics: Tensor | None = None) -> Tensor:
        return torch.cat(self._each_part(capability, inputs, y, topics)).cpu()

    def _each_part(self, capability: str, inputs: Any, y: Any, topics: Tensor | None = None) -> list[Any]:
        self._fitted_spec()
        self._require(capability)
        classes = self._given_classes(y, len(inputs))
        method = getattr(self, f"{capability}_batch")
        with self._inference():
            return [
                method(self._placed(inputs[part]), self._part(classes, part), **self._topics_of(topics, part))
                for part in self.parts(len(inputs)) or [slice(0, 0)]
            ]


def _requested(n: int | None, *, own: int | None, **several: Any) -> int:
    lengths = {} if own is None else {"labels": own}
    lengths |= {name: len(value) for name, value in several.items() if value is not None and not is_one(value)}
    if n is not None and (isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0):
        raise ConfigError(f"n={n!r}: expected a whole number from 0 up")
    if n is not None:
        lengths["n"] = int(n)
    if len(set(lengths.values())) > 1:
        raise ConfigError(f"the request is contradictory: {', '.join(f'{k} asks for {v}' for k, v in lengths.items())}")
    return next(iter(lengths.values()), 1)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"
