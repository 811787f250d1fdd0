"""Properties of the plan that hold for all inputs."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from augsynth.blending.condition import balancing_weights, drawn
from augsynth.blending.plan import EpochPlan
from augsynth.labels.classes import LabelSpec


def make(n=200, classes=4, **options):
    values = torch.arange(n) % classes
    labels = LabelSpec.of(0, values.tolist())
    settings = {"ratio": 0.5, "condition": "match", "mode": "replace", "seed": 0, "epoch": 0, **options}
    return EpochPlan(n, values, labels, **settings)


@given(
    seed=st.integers(-(2**63), 2**63 - 1),
    epoch=st.integers(0, 2**32 - 1),
    ratio=st.floats(0, 1),
    condition=st.sampled_from(["match", "balance", {0: 1.0, 2: 3.0}, None]),
    mode=st.sampled_from(["replace", "vary"]),
    order=st.permutations(list(range(40))),
)
def test_a_decision_depends_on_seed_epoch_and_index_alone(seed, epoch, ratio, condition, mode, order):
    plan = make(40, seed=seed, epoch=epoch, ratio=ratio, condition=condition, mode=mode)
    whole = plan.decide(torch.arange(40))
    turned = plan.decide(torch.tensor(order))
    for name in ("synthetic", "sources", "classes", "seeds"):
        assert torch.equal(getattr(whole, name)[order], getattr(turned, name)), name


@given(st.floats(0, 1), st.integers(0, 2**40))
def test_a_larger_ratio_keeps_what_a_smaller_one_chose(ratio, seed):
    few, many = (make(300, ratio=r, seed=seed).decide(torch.arange(300)).synthetic for r in (ratio * 0.5, ratio))
    assert (many | ~few).all()


@given(st.floats(0, 0.9), st.integers(1, 300))
def test_append_reaches_the_ratio(ratio, n):
    plan = make(n, 3, ratio=ratio, mode="append")
    assert abs(plan.n_extra - n * ratio / (1 - ratio)) <= 0.5 + 1e-6
    assert plan.decide(torch.arange(len(plan))).synthetic.sum() == plan.n_extra


@given(st.lists(st.integers(0, 500), min_size=1, max_size=12), st.floats(0.01, 5000))
def test_balancing_fills_the_rarest_up_to_a_common_level(counts, total):
    remaining = torch.tensor(counts, dtype=torch.float64)
    filled = remaining + balancing_weights(remaining, total) * total
    assert abs(float(filled.sum() - remaining.sum()) - total) < 1e-6 * max(total, 1)
    level = filled.min()
    touched = filled > remaining + 1e-7
    assert torch.allclose(filled[touched], level.expand(int(touched.sum())), rtol=1e-6, atol=1e-4)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=8).filter(lambda w: sum(w) > 1e-3), st.floats(0, 1))
def test_a_class_without_weight_is_never_drawn(weights, u):
    chosen = drawn(torch.tensor(weights, dtype=torch.float64), torch.tensor([u], dtype=torch.float64))
    assert weights[int(chosen)] > 0


def test_the_plan_does_not_grow_with_the_epoch():
    """A million positions are decided in parts, and nothing is kept."""
    values = torch.zeros(1_000_000, dtype=torch.int64)
    labels = LabelSpec.of(0, [0] * 1_000_000)
    plan = EpochPlan(1_000_000, values, labels, ratio=0.3, condition="match", mode="replace", seed=0, epoch=0)
    chosen = sum(int(plan.decide(torch.arange(i, i + 100_000)).synthetic.sum()) for i in range(0, 1_000_000, 100_000))
    assert abs(chosen / 1_000_000 - 0.3) < 0.002
    kept = [value for value in vars(plan).values() if isinstance(value, torch.Tensor) and value is not values]
    assert sum(tensor.numel() for tensor in kept) < 100


@pytest.mark.parametrize("mode", ["replace", "append"])
def test_neighbouring_seeds_choose_independently(mode):
    options = {"ratio": 0.5, "mode": mode}
    seeds = [make(5000, seed=s, **options).decide(torch.arange(5000)).seeds.double() for s in range(4)]
    correlation = torch.corrcoef(torch.stack(seeds))
    assert (correlation - torch.eye(4)).abs().max() < 0.08
