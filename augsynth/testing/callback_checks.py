"""What every callback promises: it listens, and changes nothing."""

from __future__ import annotations

import copy
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch

from augsynth.errors import AugsynthWarning
from augsynth.evaluation.figures import Figure
from augsynth.evaluation.result import Evaluation
from augsynth.fitting.fit import fit
from augsynth.generator.generator import Generator
from augsynth.modality import Modality
from augsynth.testing.global_rngs import global_rngs, same_rngs
from augsynth.testing.kinds import equal, made, modality_for
from augsynth.testing.replaying import Means
from augsynth.utility.result import Uplift, summarised

_STEPS = 40  # losses are told every 20


@contextmanager
def _listening(callback: Any) -> Iterator[Any]:
    """The callback, in a folder of its own, and closed at the end."""
    home = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            listener = made("callback", callback)
            yield listener
            with suppress(Exception):  # what closing promises is a check of its own
                _tell(listener, "close")
        finally:
            os.chdir(home)


def _tell(listener: Any, name: str, *values: Any) -> None:
    method = getattr(listener, name, None)
    if method is not None:
        with _no_error(f"{name}{tuple(type(value).__name__ for value in values)}".replace("'", "")):
            method(*values)


@contextmanager
def _no_error(heard: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise AssertionError(f"it raised {type(error).__name__} ({error}) on {heard}") from error


def _kind(callback: Any) -> Modality:
    return modality_for("callback", callback)


def _fitted(callback: Any, listener: Any = None, classes: int = 3) -> Generator:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AugsynthWarning)  # a few steps may well collapse
        data = _kind(callback).tiny(24, classes=classes)
        return fit(Means, data, steps=_STEPS, batch_size=8, callback=listener, progress=False, device="cpu")


def _evaluation() -> Evaluation:
    figure = Figure("near_copies", 0.1, (0.0, 0.2), 0.05, (0.0, 0.1), 24, "near the floor", "share of near copies")
    plain = Figure("label_agreement", 0.9, (0.8, 1.0), None, None, 24, "higher", "share of right labels")
    figures = {one.name: one for one in (figure, plain)}
    return Evaluation(set(), "Nothing is plainly wrong.", [], figures, None, {}, [], [], {}, {"seed": 0})


def _uplift() -> Uplift:
    trials = {
        name: [{"score": score + seed / 100, "recalls": [score, score], "curve": [(1, score)]} for seed in range(3)]
        for name, score in (("real", 0.7), ("real + synthetic", 0.8))
    }
    return summarised(
        trials,
        baseline="real",
        candidate="real + synthetic",
        metric="accuracy",
        level=0.95,
        classes=["a", "b"],
        rest={"stopped_early": False, "caveats": [], "settings": {}},
    )


def check_is_called_with_losses(callback: Any) -> None:
    """It is callable with a step and losses, also where one is not finite."""
    with _listening(callback) as listener:
        assert callable(listener), f"{type(listener).__name__} is not callable: expected (step, losses)"
        for step, losses in ((20, {"loss": 0.5}), (40, {"loss": 0.4, "validation": float("nan")})):
            _tell(listener, "__call__", step, losses)


def check_hears_a_fit(callback: Any) -> None:
    """A fit tells it of losses and of the fitted generator, with labels and without."""
    with _listening(callback) as listener:
        for classes in (3, 0):
            with _no_error("a fit" + ("" if classes else " without labels")):
                gen = _fitted(callback, listener, classes)
            assert gen.fit_info["steps"] == _STEPS, f"the fit ended after {gen.fit_info['steps']} of {_STEPS} steps"


def check_hears_of_results(callback: Any) -> None:
    """What ``evaluate`` and ``uplift`` found is told to it."""
    with _listening(callback) as listener:
        for result in (_evaluation(), _uplift()):
            _tell(listener, "on_result", result)


def check_the_fit_is_the_same_without(callback: Any) -> None:
    """With it and without, a fit makes the same generator, and no global RNG is moved."""
    alone = _fitted(callback).state_dict()
    before = global_rngs()
    with _listening(callback) as listener:
        heard = _fitted(callback, listener).state_dict()
    assert same_rngs(before), "a global RNG was moved"
    assert all(torch.equal(alone[name], heard[name]) for name in alone), "a fit with it makes another generator"


def check_does_not_change_what_it_hears(callback: Any) -> None:
    """Losses, the generator and results are as before."""
    losses = {"loss": 0.5, "validation": 0.6}
    gen = _fitted(callback)
    weights, evaluation, uplift = copy.deepcopy(gen.state_dict()), _evaluation(), _uplift()
    sample = gen.sample(3, seed=0).model_x
    with _listening(callback) as listener:
        _tell(listener, "__call__", 20, losses)
        _tell(listener, "on_fit_end", gen)
        for result in (evaluation, uplift):
            _tell(listener, "on_result", result)
    assert losses == {"loss": 0.5, "validation": 0.6}, "the losses were changed"
    same = all(torch.equal(value, weights[name]) for name, value in gen.state_dict().items())
    assert same and equal(gen.sample(3, seed=0).model_x, sample), "the generator was changed"
    assert evaluation.to_json() == _evaluation().to_json(), "an evaluation was changed"
    assert uplift.to_json() == _uplift().to_json(), "an uplift was changed"


def check_closes(callback: Any) -> None:
    """It can be closed without having heard of anything, and twice."""
    with _listening(callback) as listener:
        _tell(listener, "close")
        _tell(listener, "close")


ALL = tuple(
    value for name, value in list(globals().items()) if name.startswith("check_") and value.__module__ == __name__
)
