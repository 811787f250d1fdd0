"""What every transform promises."""

from __future__ import annotations

import copy
import pickle
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from augsynth.errors import DataError
from augsynth.modality import Modality
from augsynth.recognition import spec_of
from augsynth.testing.global_rngs import global_rngs, same_rngs
from augsynth.testing.kinds import inputs, made, modality_for
from augsynth.transforms.seeded import SeededTransform


def _kind(transform: Any) -> Modality:
    return modality_for("transform", transform)


def _cases(transform: Any, n: int = 3) -> Iterator[tuple[str, Any, list[Any]]]:
    """Each form of input: its name, the transform made for it, and n inputs."""
    kind = _kind(transform)
    for form in kind.transform_forms or kind.forms:
        yield form, made("transform", transform, **kind.transform_settings(form)), inputs(kind, n, form)


def check_is_a_transform(transform: Any) -> None:
    """It follows a seed: it derives from the base class of transforms."""
    assert isinstance(made("transform", transform), SeededTransform), "a transform plugin must make a SeededTransform"


def check_keeps_type_dtype_and_range(transform: Any) -> None:
    """Inputs in every form come back as what they were."""
    for form, apply, given in _cases(transform):
        for x in given:
            y = apply(x, seed=1)
            assert type(y) is type(x), f"{form}: {type(x).__name__} became {type(y).__name__}"
            a, b = np.asarray(x), np.asarray(y)
            if a.dtype.kind not in "fiu":
                continue
            assert a.dtype == b.dtype and a.ndim == b.ndim, f"{form}: {a.dtype}{a.shape} became {b.dtype}{b.shape}"
            low, high = (0, 255) if a.dtype.kind in "iu" else (-1.0 if a.min() < 0 else 0.0, 1.0)
            assert low - 1e-3 <= b.min() and b.max() <= high + 1e-3, f"{form}: values left [{low}, {high}]"


def check_follows_its_seed_alone(transform: Any) -> None:
    """The same seed gives the same result, whatever the global RNGs are and whatever was transformed before."""
    for form, apply, (x, other, _) in _cases(transform):
        first = np.asarray(apply(x, seed=7)).copy()
        torch.manual_seed(0), np.random.seed(0), random.seed(0)
        apply(other, seed=8)
        assert np.array_equal(first, np.asarray(apply(x, seed=7))), f"{form}: the same seed gave another result"


def check_many_become_what_each_becomes_alone(transform: Any) -> None:
    """Several inputs at once give what they give one after the other, up to rounding."""
    for form, apply, given in _cases(transform):
        seeds = [11, 12, 13]
        together = made("transform", transform, **_kind(transform).transform_settings(form)).many(given, seeds)
        assert len(together) == len(given), f"{form}: {len(given)} inputs became {len(together)}"
        for x, y, seed in zip(given, together, seeds, strict=True):
            alone = apply(x, seed=seed)
            assert type(y) is type(alone), f"{form}: {type(alone).__name__} became {type(y).__name__} among others"
            a, b = np.asarray(alone), np.asarray(y)
            close = a.shape == b.shape and (
                np.array_equal(a, b)
                if a.dtype.kind not in "fiu"
                else np.allclose(a.astype(float), b.astype(float), rtol=0, atol=1e-4 if a.dtype.kind == "f" else 1)
            )
            assert close, f"{form}: an input became another thing among others than alone"


def check_leaves_global_rngs_alone(transform: Any) -> None:
    """With a seed, no global RNG is moved."""
    for form, apply, (x, *_) in _cases(transform):
        before = global_rngs()
        apply(x, seed=3)
        assert same_rngs(before), f"{form}: a global RNG was moved"


def check_does_not_change_its_input(transform: Any) -> None:
    """The input is as before."""
    for form, apply, (x, *_) in _cases(transform):
        before = copy.deepcopy(np.asarray(x))
        apply(x, seed=2)
        assert np.array_equal(before, np.asarray(x)), f"{form}: the input was changed"


def check_pickles_for_spawned_workers(transform: Any) -> None:
    """A copy in another process does the same."""
    for form, apply, (x, *_) in _cases(transform):
        expected = np.asarray(apply(x, seed=4))
        copied = pickle.loads(pickle.dumps(apply))
        assert np.array_equal(np.asarray(copied(x, seed=4)), expected), f"{form}: a copy gives another result"


def check_the_smallest_inputs(transform: Any) -> None:
    """Where there is nothing to transform, it stays; of the smallest input there is, a valid one is left."""
    apply, kind = made("transform", transform), _kind(transform)
    for x in kind.blank():
        assert apply(x, seed=1) == x, f"{x!r} became {apply(x, seed=1)!r}"
    for x in kind.smallest():
        for seed in range(20):
            try:
                spec_of(apply(x, seed=seed), kind)
            except DataError as error:
                raise AssertionError(f"of {x!r} is left what no dataset may yield: {error}") from error


ALL = tuple(
    value for name, value in list(globals().items()) if name.startswith("check_") and value.__module__ == __name__
)
