"""What every source of samples promises: whatever stands where a fitted generator does in a blend."""

from __future__ import annotations

import pickle
from typing import Any
from unittest import SkipTest

import torch
from torch import Tensor

from augsynth.errors import AugsynthError, UnknownLabelError
from augsynth.recognition import modality_of, spec_of
from augsynth.sample_spec import SampleSpec
from augsynth.testing.global_rngs import global_rngs, same_rngs
from augsynth.testing.kinds import close, equal

_N = 8
_TOLERANCE = 2e-4  # as of generators


def _labels(source: Any, n: int = _N) -> list[Any] | None:
    """n labels of the source, in turn; None where it takes none."""
    known = source.spec.classes
    if known is None or not source.conditional:
        return None
    present = [value for value, count in zip(known.values, known.counts or [1] * len(known), strict=True) if count]
    return [present[i % len(present)] for i in range(n)]


def _drawn(source: Any, rows: list[int] | None = None, *, first: int = 100) -> Any:
    """Samples of the seeds ``first + row``, with labels by row."""
    rows = list(range(_N)) if rows is None else rows
    labels = _labels(source)
    wanted = None if labels is None else [labels[i] for i in rows]
    return source.sample(labels=wanted, seeds=torch.tensor([first + i for i in rows]))


def check_says_what_it_makes(source: Any) -> None:
    """``spec`` says what its samples are, and ``conditional`` whether it takes labels; both before any sample."""
    spec = getattr(source, "spec", None)
    assert isinstance(spec, SampleSpec) and spec.modality, f"spec is {spec!r}: expected a SampleSpec of a modality"
    assert isinstance(source.conditional, bool), f"conditional is {source.conditional!r}: expected a bool"


def check_samples_are_as_it_says(source: Any) -> None:
    """n samples for n seeds, each of the form that ``spec`` says, and as generators see them."""
    batch = _drawn(source)
    assert len(batch) == len(batch.x) == len(batch.meta) == _N, f"{_N} seeds gave {len(batch)} samples"
    told = source.spec.flaw(batch.model_x, _N)
    assert told is None, f"model_x: {told}"
    for x in batch.x:
        unlike = spec_of(x, modality_of(source.spec)).differences(source.spec)
        assert not unlike, f"a sample is not as spec says: {'; '.join(unlike)}"


def check_follows_its_seeds(source: Any) -> None:
    """The same seeds give the same samples, and others others, whatever the global RNGs are."""
    before = global_rngs()
    first = _drawn(source).model_x
    assert same_rngs(before), "a global RNG was moved"
    torch.manual_seed(3)
    again, other = _drawn(source).model_x, _drawn(source, first=5000).model_x
    torch.set_rng_state(before[2])
    assert equal(first, again), "the same seeds gave other samples"
    assert not equal(first, other), "other seeds gave the same samples"


def check_sample_depends_on_its_seed_not_its_batch(source: Any) -> None:
    """Alone or in another order, the same seed and label give the same sample."""
    together = _drawn(source).model_x
    turned = _drawn(source, list(range(_N))[::-1]).model_x
    for i in range(_N):
        assert close(turned[_N - 1 - i], together[i], _TOLERANCE), "samples differ when the batch is in another order"
    assert close(_drawn(source, [3]).model_x[0], together[3], _TOLERANCE), "a sample differs when it is made alone"


def check_labels_are_kept(source: Any) -> None:
    """The labels that were asked for come back, in their order; unknown ones are refused."""
    labels = _labels(source)
    if labels is None:
        raise SkipTest("it takes no labels")
    y = _drawn(source).y
    got = y.tolist() if isinstance(y, Tensor) else list(y)
    assert got == labels, f"asked for {labels}, it gave {got}"
    try:
        source.sample(1, labels="no such label", seed=0)
    except UnknownLabelError:
        return
    except AugsynthError as error:
        raise AssertionError(f"an unknown label: raised {type(error).__name__} instead of UnknownLabelError") from error
    raise AssertionError("an unknown label was taken")


def check_provenance(source: Any) -> None:
    """Each sample says that it is synthetic, of which plugin, by which seed, and what was asked for."""
    batch = _drawn(source)
    for row in batch.meta:
        missing = [key for key in ("synthetic", "plugin", "checkpoint", "seed", "condition") if key not in row]
        assert not missing, f"provenance lacks {missing}: {row}"
        assert row["synthetic"] is True, f"provenance says that a sample is real: {row}"


def check_pickles_for_spawned_workers(source: Any) -> None:
    """A copy in another process hands out the same."""
    copied = pickle.loads(pickle.dumps(source))
    assert equal(_drawn(copied).model_x, _drawn(source).model_x), "a pickled copy hands out other samples"


ALL = tuple(
    value for name, value in list(globals().items()) if name.startswith("check_") and value.__module__ == __name__
)
