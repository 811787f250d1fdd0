"""What every filter of generated samples promises."""

from __future__ import annotations

import copy
import pickle
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from augsynth.batch import Provenance, SampleBatch
from augsynth.labels.classes import LabelSpec
from augsynth.recognition import modality_named
from augsynth.seeding import seeds_for
from augsynth.testing.global_rngs import global_rngs, same_rngs
from augsynth.testing.kinds import as_seen, equal, made, modality_for, unpacked

_N = 24


def _made(one: Any) -> Any:
    """The filter: by the name of a plugin, with the settings it is checked with, or the filter itself."""
    return made("filter", one) if isinstance(unpacked(one)[0], str) else one


@lru_cache(maxsize=8)
def batch_of(kind: str) -> SampleBatch:
    """Samples of each class of a kind of data, good and bad ones."""
    labels = LabelSpec.of(0, [i % 3 for i in range(_N)])
    classes = torch.tensor([i % 3 for i in range(_N)])
    seeds = seeds_for(_N, seed=0)
    modality = modality_named(kind)
    x = as_seen(modality, _N)
    bad = modality.spoilt(x[::4], 0)
    for i, one in enumerate(bad):
        x[4 * i] = one
    provenance = Provenance(seeds, {"condition": (labels, classes)}, {"plugin": "", "checkpoint": ""})
    return SampleBatch(x, labels.batched(classes), provenance, x, classes)


def good_samples(kind: str) -> list[Any]:
    """Samples with labels, for filters that know real data: like the good ones of the suite's batch."""
    data = modality_named(kind).tiny(_N)
    return [data[i] for i in range(_N)]


def _part(batch: SampleBatch, rows: list[int]) -> SampleBatch:
    x = [batch.x[i] for i in rows] if isinstance(batch.x, list) else batch.x[rows]
    assert batch.classes is not None
    return SampleBatch(x, None, [batch.meta[i] for i in rows], x, batch.classes[rows])


def _kind(one: Any) -> str:
    return modality_for("filter", one).qualified


def _judged(one: Any, rows: list[int] | None = None) -> Tensor:
    batch = batch_of(_kind(one))
    return torch.as_tensor(_made(one)(batch if rows is None else _part(batch, rows))).cpu()


def check_gives_one_verdict_for_each_sample(one: Any) -> None:
    """(n,) bool."""
    verdicts = _judged(one)
    assert verdicts.shape == (_N,), f"returned shape {tuple(verdicts.shape)} for {_N} samples"
    assert verdicts.dtype == torch.bool, f"returned {verdicts.dtype}, expected torch.bool"


def check_judges_each_sample_by_itself(one: Any) -> None:
    """Alone, or in another order, the verdict is the same: a blended sample must be a function of its seed."""
    verdicts = _judged(one)
    turned = list(range(_N))[::-1]
    assert torch.equal(_judged(one, turned), verdicts[turned]), "the verdicts depend on the order"
    alone = torch.cat([_judged(one, [i]) for i in range(_N)])
    assert torch.equal(alone, verdicts), "a verdict depends on the other samples of the batch"


def check_does_not_change_the_batch(one: Any) -> None:
    """Filters judge; they do not mend."""
    batch = batch_of(_kind(one))
    given = copy.deepcopy(batch)  # the suite's own stays as it is, whatever this one does
    _made(one)(given)
    assert equal(batch.model_x, given.model_x), "the batch was changed"


def check_global_rngs_are_left_alone(one: Any) -> None:
    """No global RNG is moved, and none is followed."""
    before = global_rngs()
    verdicts = _judged(one)
    assert same_rngs(before), "a global RNG was moved"
    torch.manual_seed(7)
    assert torch.equal(verdicts, _judged(one)), "the verdicts follow a global RNG"
    torch.set_rng_state(before[2])


def check_pickles_for_spawned_workers(one: Any) -> None:
    """A copy in another process judges the same."""
    batch, judge = batch_of(_kind(one)), _made(one)
    copied = pickle.loads(pickle.dumps(judge))
    assert torch.equal(torch.as_tensor(copied(batch)), torch.as_tensor(judge(batch))), "a pickled copy judges otherwise"


ALL = tuple(
    value for name, value in list(globals().items()) if name.startswith("check_") and value.__module__ == __name__
)
