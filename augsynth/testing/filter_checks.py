"""What every filter of generated samples promises."""

from __future__ import annotations

import copy
import pickle
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from augsynth.batch import Provenance, SampleBatch
from augsynth.label_spec import LabelSpec
from augsynth.registry import default_registry
from augsynth.seeding import seeds_for
from augsynth.testing.data import TinyImages, TinyTexts
from augsynth.testing.global_rngs import global_rngs, same_rngs

_N = 24


def _made(one: Any) -> Any:
    """The filter: by the name of a plugin whose settings all have defaults, or the filter itself."""
    return default_registry().create("filter", one) if isinstance(one, str) else one


@lru_cache(maxsize=2)
def _batch(text: bool) -> SampleBatch:
    """Samples of each class, good and bad ones."""
    labels = LabelSpec.of(0, [i % 3 for i in range(_N)])
    classes = torch.tensor([i % 3 for i in range(_N)])
    seeds = seeds_for(_N, seed=0)
    x: Any
    if text:
        texts = TinyTexts(_N).texts
        bad = (lambda text: f"{text} the the the", lambda text: text.split()[0])
        x = [bad[i // 4 % 2](text) if i % 4 == 0 else text for i, text in enumerate(texts)]
    else:
        data = TinyImages(_N, form="tensor-float")
        x = torch.stack([data[i][0] * 2 - 1 for i in range(_N)])
        x[::4] = torch.rand(x[::4].shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    provenance = Provenance(seeds, {"condition": (labels, classes)}, {"plugin": "", "checkpoint": ""})
    return SampleBatch(x, labels.batched(classes), provenance, x, classes)


def good_samples(text: bool) -> list[Any]:
    """Samples with labels, for filters that know real data: like the good ones of the suite's batch."""
    data: Any = TinyTexts(_N) if text else TinyImages(_N, form="tensor-float")
    return [data[i] for i in range(_N)]


def _part(batch: SampleBatch, rows: list[int]) -> SampleBatch:
    x = [batch.x[i] for i in rows] if isinstance(batch.x, list) else batch.x[rows]
    assert batch.classes is not None
    return SampleBatch(x, None, [batch.meta[i] for i in rows], x, batch.classes[rows])


def _is_text(one: Any) -> bool:
    if isinstance(one, str):
        registry = default_registry()
        qualified = registry.qualified_name("filter", one)
        return any(i.qualified == qualified and (i.kind, i.modality) == ("filter", "text") for i in registry.plugins())
    return bool(getattr(one, "modality", "image") == "text")


def _judged(one: Any, rows: list[int] | None = None) -> Tensor:
    batch = _batch(_is_text(one))
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
    batch = _batch(_is_text(one))
    before = copy.deepcopy(batch.model_x)
    _judged(one)
    same = before == batch.model_x if isinstance(before, list) else torch.equal(before, batch.model_x)
    assert same, "the batch was changed"


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
    batch, made = _batch(_is_text(one)), _made(one)
    copied = pickle.loads(pickle.dumps(made))
    assert torch.equal(torch.as_tensor(copied(batch)), torch.as_tensor(made(batch)))


ALL = tuple(value for name, value in list(globals().items()) if name.startswith("check_"))
