"""Call any transform of any library so that its randomness follows a seed per sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

from torch import Tensor

from augsynth._rng_guard import preserved_rng, seed_global
from augsynth.errors import ConfigError
from augsynth.joint import Joint
from augsynth.sample_spec import SampleSpec
from augsynth.seeding import derive

_PART = 0x7F04


class SeededTransform:
    """A label-preserving operation on one input, which follows the seed that it is called with.

    The base of transforms for every kind of data; an author takes the one for the kind at hand, where there is one.
    """

    def __call__(self, x: Any, *, seed: int | None = None) -> Any:
        """Transform one input.

        Args:
            x: what a dataset yields.
            seed: everything random follows it; None draws one from torch's RNG.
        """
        raise NotImplementedError(f"{type(self).__name__} must define __call__(x, *, seed=None)")

    def many(self, inputs: Sequence[Any], seeds: Sequence[int | None]) -> list[Any]:
        """Transform n inputs, each by its own seed. Override where they are faster together than one after the other;
        what becomes of an input must not depend on those beside it."""
        return [self(x, seed=seed) for x, seed in zip(inputs, seeds, strict=True)]

    def joint(self, x: Joint, *, seed: int | None = None) -> Joint:
        """Transform an input together with the targets that lie in it. Override where that is possible.

        Raises:
            ConfigError: it is not: they would no longer fit.
        """
        raise ConfigError(
            f"{type(self).__name__} transforms the input alone, and {', '.join(x.inside)} would no longer fit; pass a "
            "transform of a library that moves them together"
        )


def apply_seeded(
    transform: Any, inputs: Sequence[Any], seeds: Tensor | None, spec: SampleSpec | None = None
) -> list[Any]:
    """Transform each of ``inputs``; input i depends on ``seeds[i]`` alone.

    Args:
        transform: one of, or a list of: a :class:`SeededTransform`, what ``spec`` knows how to call, or any callable.
            Those that read the global RNGs of Python, NumPy or torch find them seeded, and the RNGs are restored
            afterwards.
        inputs: what the dataset yields as ``x``.
        seeds: (n,) int64, or None: then the transform follows its own or torch's RNG.
        spec: what the inputs are like, for the transforms of libraries.
    """
    if isinstance(transform, (list, tuple)):
        result = list(inputs)
        for i, part in enumerate(transform):
            result = apply_seeded(part, result, None if seeds is None else derive(seeds, _PART, i), spec)
        return result
    if isinstance(transform, SeededTransform) and not any(isinstance(x, Joint) for x in inputs):
        return transform.many(list(inputs), [None] * len(inputs) if seeds is None else seeds.tolist())
    call = _caller(transform, spec)
    if seeds is None:
        return [call(x, None) for x in inputs]
    needs_globals = not isinstance(transform, SeededTransform)
    with preserved_rng() if needs_globals else nullcontext():
        result = []
        for x, seed in zip(inputs, seeds.tolist(), strict=True):
            if needs_globals:
                seed_global(seed)
            result.append(call(x, seed))
    return result


def check_transform(name: str, transform: Any) -> None:
    """Raise a ConfigError if ``transform`` is nothing that :func:`apply_seeded` can call."""
    if transform is None:
        return
    for part in transform if isinstance(transform, (list, tuple)) else [transform]:
        if isinstance(part, str):
            raise ConfigError(
                f"{name}={part!r}: augsynth.create('transform', {part!r}) makes the transform of that name"
            )
        if isinstance(part, type):
            raise ConfigError(f"{name}={part!r} is a class: pass what it makes, {part.__name__}(...)")
        if not callable(part) and not hasattr(part, "augment"):
            raise ConfigError(f"{name}={part!r}: expected a callable, or a list of them")


def _caller(transform: Any, spec: SampleSpec | None) -> Callable[[Any, int | None], Any]:
    if isinstance(transform, SeededTransform):
        return lambda x, seed: transform.joint(x, seed=seed) if isinstance(x, Joint) else transform(x, seed=seed)
    own = None if spec is None else spec.caller(transform)
    if own is None and not callable(transform):
        return lambda x, seed: _first(transform.augment(x))
    return own or (lambda x, seed: transform(x))


def _first(made: Any) -> Any:
    return made[0] if isinstance(made, list) else made
