"""What every metric promises."""

from __future__ import annotations

import copy
import math
import tempfile
from typing import Any

import torch

from augsynth.errors import AugsynthError
from augsynth.evaluation.evaluate import evaluate
from augsynth.evaluation.figures import Figure
from augsynth.evaluation.inputs import Samples
from augsynth.modality import Modality
from augsynth.testing.global_rngs import global_rngs, same_rngs
from augsynth.testing.kinds import as_seen, equal, made, modality_for

_N, _CLASSES = 24, 3
_BETTER = ("lower", "higher", "near the floor")


def _metric(metric: Any) -> Any:
    """The metric: by the name of a plugin, or the callable itself; of a class, an object."""
    return metric if callable(metric) and not isinstance(metric, type) else made("metric", metric)


def _kind(metric: Any) -> Modality:
    return modality_for("metric", metric)


def _sets(metric: Any, n: int = _N, *, labels: bool = True) -> tuple[Samples, Samples, Samples]:
    """Generated, training and held-out samples: real ones, but for some of the generated."""
    kind = _kind(metric)
    classes = torch.arange(n) % _CLASSES if labels else None
    x = [as_seen(kind, n, seed=seed) for seed in (0, 1, 2)]
    for i, one in enumerate(kind.spoilt(x[0][: n // 3], 0)):
        x[0][i] = one
    generated, train, held = (Samples(one, classes) for one in x)
    return generated, train, held


def _figures(metric: Any, sets: tuple[Samples, Samples, Samples]) -> list[Figure]:
    found = _metric(metric)(*sets)
    return [found] if isinstance(found, Figure) else list(found)


def check_gives_figures(metric: Any) -> None:
    """Of generated, training and held-out samples it makes a Figure or several, each with all it should say."""
    found = _metric(metric)(*_sets(metric))
    assert not isinstance(found, (str, bytes, float, int, dict)), f"returned {found!r}: expected augsynth.Figure"
    figures = [found] if isinstance(found, Figure) else list(found)
    assert figures, "returned no figure"
    for one in figures:
        assert isinstance(one, Figure), f"returned {one!r}: expected augsynth.Figure"
        assert isinstance(one.name, str) and one.name.strip(), "a figure has no name"
        assert math.isfinite(one.value), f"{one.name} is {one.value}"
        for interval in (one.interval, one.floor_interval):
            assert interval is None or interval[0] <= interval[1], f"{one.name}: the interval is {interval}"
        assert one.floor is None or math.isfinite(one.floor), f"{one.name}: the floor is {one.floor}"
        assert one.n == _N, f"{one.name}: n is {one.n}, of {_N} generated samples"
        assert one.better in _BETTER, f"{one.name}: better is {one.better!r}: expected one of {', '.join(_BETTER)}"
        assert one.note.strip(), f"{one.name}: the note does not say what it is"
    names = [one.name for one in figures]
    assert len(set(names)) == len(names), f"two figures have the same name: {names}"


def check_same_samples_same_figures(metric: Any) -> None:
    """It follows its samples alone: no global RNG is read or moved."""
    before = global_rngs()
    first = _figures(metric, _sets(metric))
    assert same_rngs(before), "a global RNG was moved"
    torch.manual_seed(5)
    again = _figures(metric, _sets(metric))
    torch.set_rng_state(before[2])
    assert [one.value for one in first] == [one.value for one in again], "the same samples gave other figures"


def check_does_not_change_the_samples(metric: Any) -> None:
    """The samples are as before."""
    sets = _sets(metric)
    before = copy.deepcopy([one.x for one in sets])
    _figures(metric, sets)
    assert all(equal(one.x, old) for one, old in zip(sets, before, strict=True)), "samples were changed"


def check_unlabelled_samples(metric: Any) -> None:
    """Without labels it measures as well, or says why not with an error of augsynth's."""
    _measured_or_told(metric, _sets(metric, labels=False), "samples without labels")


def check_few_samples(metric: Any) -> None:
    """Of three samples it makes figures, or says why not with an error of augsynth's."""
    _measured_or_told(metric, _sets(metric, 3), "three samples")


def check_stands_in_an_evaluation(metric: Any) -> None:
    """``evaluate(..., metrics=[...])`` has its figures beside the others."""
    kind = _kind(metric)
    sets = [kind.tiny(2 * _N, seed=seed) for seed in (0, 1, 2)]
    with tempfile.TemporaryDirectory():
        found = evaluate(*sets, n=_N, judge_steps=5, metrics=[_metric(metric)], progress=False)
    failed = {name: why for name, why in found.failed.items() if name.startswith("metric ")}
    assert not failed, f"it failed in an evaluation: {failed}"
    names = [one.name for one in _figures(metric, _sets(metric))]
    missing = [name for name in names if name not in found.figures]
    assert not missing, f"an evaluation lacks its figures {missing}: their names must not change"


def _measured_or_told(metric: Any, sets: tuple[Samples, Samples, Samples], what: str) -> None:
    try:
        figures = _figures(metric, sets)
    except AugsynthError as error:
        assert str(error).strip(), f"{what}: the error says nothing"
        return
    except Exception as error:
        raise AssertionError(
            f"{what}: raised {type(error).__name__} ({error}), which is no error of augsynth's"
        ) from error
    wrong = [one.name for one in figures if math.isnan(one.value)]
    assert not wrong, f"{what}: {wrong} is NaN; measure, or raise an augsynth.DataError"


ALL = tuple(
    value for name, value in list(globals().items()) if name.startswith("check_") and value.__module__ == __name__
)
