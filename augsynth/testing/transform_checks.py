"""What every transform promises."""

from __future__ import annotations

import copy
import pickle
import random
from typing import Any

import numpy as np
import torch

from augsynth.registry import default_registry
from augsynth.testing.data import FORMS, TinyImages, TinyTexts
from augsynth.testing.global_rngs import global_rngs, same_rngs
from augsynth.transforms.base import Transform
from augsynth.transforms.text import TextTransform

_SHAPES = {"tensor": (3, 20, 17), "tensor-float": (1, 28, 28), "numpy-hwc": (3, 12, 18), "numpy-chw": (1, 16, 16),
           "numpy-hw": (1, 8, 8), "pil": (3, 24, 16)}  # fmt: skip


def _made(transform: Any, **config: Any) -> Any:
    return (
        default_registry().create("transform", transform, **config)
        if isinstance(transform, str)
        else transform(**config)
    )


def _forms(transform: Any, *among: str) -> tuple[str, ...]:
    """The forms of input to try: text, or the named forms of images (all of them by default)."""
    return ("text",) if isinstance(_made(transform), TextTransform) else among or FORMS


def _inputs(form: str, n: int = 3) -> list[Any]:
    if form == "text":
        return list(TinyTexts(n).texts)
    data = TinyImages(n, _SHAPES[form], form=form, structure="bare")
    return [data[i] for i in range(n)]


def _for(transform: Any, form: str) -> Any:
    return _made(transform, value_range=(-1.0, 1.0)) if form == "numpy-chw" else _made(transform)


def check_is_a_transform(transform: Any) -> None:
    """It derives from augsynth.Transform or augsynth.TextTransform."""
    kinds = (Transform, TextTransform)
    assert isinstance(_made(transform), kinds), "a transform plugin must make an augsynth.Transform or TextTransform"


def check_keeps_type_dtype_and_range(transform: Any) -> None:
    """Texts, tensors, arrays in both layouts and PIL images come back as what they were."""
    for form in _forms(transform):
        apply = _for(transform, form)
        for x in _inputs(form):
            y = apply(x, seed=1)
            assert type(y) is type(x), f"{form}: {type(x).__name__} became {type(y).__name__}"
            if form == "text":
                continue
            a, b = np.asarray(x), np.asarray(y)
            assert a.dtype == b.dtype and a.ndim == b.ndim, f"{form}: {a.dtype}{a.shape} became {b.dtype}{b.shape}"
            low, high = (-1.0, 1.0) if form == "numpy-chw" else (0.0, 1.0) if a.dtype == np.float32 else (0, 255)
            assert low - 1e-3 <= b.min() and b.max() <= high + 1e-3, f"{form}: values left [{low}, {high}]"


def check_follows_its_seed_alone(transform: Any) -> None:
    """The same seed gives the same result, whatever the global RNGs are and whatever was transformed before."""
    for form in _forms(transform, "tensor", "pil"):
        apply = _for(transform, form)
        x, other, _ = _inputs(form)
        first = np.asarray(apply(x, seed=7)).copy()
        torch.manual_seed(0), np.random.seed(0), random.seed(0)
        apply(other, seed=8)
        assert np.array_equal(first, np.asarray(apply(x, seed=7))), f"{form}: the same seed gave another result"


def check_leaves_global_rngs_alone(transform: Any) -> None:
    """With a seed, no global RNG is moved."""
    apply, x = _made(transform), _inputs(_forms(transform, "tensor")[0])[0]
    before = global_rngs()
    apply(x, seed=3)
    assert same_rngs(before), "a global RNG was moved"


def check_does_not_change_its_input(transform: Any) -> None:
    """The input is as before."""
    for form in _forms(transform, "tensor", "numpy-hwc", "pil"):
        apply = _for(transform, form)
        x = _inputs(form)[0]
        before = copy.deepcopy(np.asarray(x))
        apply(x, seed=2)
        assert np.array_equal(before, np.asarray(x)), f"{form}: the input was changed"


def check_pickles_for_spawned_workers(transform: Any) -> None:
    """A copy in another process does the same."""
    apply, x = _made(transform), _inputs(_forms(transform, "tensor")[0])[0]
    expected = apply(x, seed=4)
    assert np.array_equal(np.asarray(pickle.loads(pickle.dumps(apply))(x, seed=4)), np.asarray(expected))


def check_blank_and_single_words(transform: Any) -> None:
    """No text is too short: white space stays, and of one word something is left."""
    if _forms(transform) != ("text",):
        return
    apply = _made(transform)
    for text in ("", "  ", "\n"):
        assert apply(text, seed=1) == text, f"{text!r} became {apply(text, seed=1)!r}"
    for text in ("a", "Schön", "你好", "👩‍🚀", "it's"):
        for seed in range(20):
            assert apply(text, seed=seed).strip(), f"nothing is left of {text!r}"


ALL = tuple(value for name, value in list(globals().items()) if name.startswith("check_"))
