"""Several processes that fit one generator, as torchrun starts them."""

import json

import pytest

import augsynth
from tests import fitting_ranks
from tests.support import once, torchrun


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    folder = once(tmp_path_factory, "together", lambda folder: torchrun(fitting_ranks.__file__, folder))
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


def test_two_processes_take_the_steps_of_one(ranks):
    assert ranks[0]["apart"] < 1e-5
    last = ranks[0]["alone"]["history"][-1]
    assert ranks[0]["together"]["history"][-1] == pytest.approx(last, rel=1e-4)
    assert last["loss"] < ranks[0]["alone"]["history"][0]["loss"]
    assert ranks[0]["apart in parts"] < 1e-5, "nor does it matter in how many parts each takes its own"
    assert ranks[0]["mixed"]["history"][-1]["loss"] < ranks[0]["mixed"]["history"][0]["loss"]


@pytest.mark.parametrize(
    "what", ["together", "uneven", "parts", "mixed", "gan", "whole", "stopped", "resumed", "failing", "timed", "cached"]
)
def test_both_have_the_same_generator_to_the_last_bit(ranks, what):
    assert ranks[0][what] == ranks[1][what]


def test_few_steps_are_timed_too(ranks):
    for found in ranks:
        assert found["few"]["steps"] == 3 and found["few"]["seconds"] > 0


def test_a_signal_to_one_stops_both_and_they_go_on_exactly(ranks):
    assert ranks[1]["stopped"]["ended"] == "interrupted" and ranks[1]["stopped"]["steps"] < 100
    assert ranks[0]["resumed"]["weights"] == ranks[0]["whole"]["weights"] and ranks[0]["saved"]


def test_a_loss_that_is_not_finite_in_one_rolls_both_back(ranks):
    assert [rank["failing"]["rollbacks"] for rank in ranks] == [1, 1]
    assert ranks[0]["failing"]["ended"] == "completed"


def test_one_reads_for_all_with_a_file_that_is_gone_afterwards(ranks):
    assert ranks[1]["cached"]["weights"] == ranks[1]["together"]["weights"]
    assert ranks[0]["left"] == []


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("different", "DataError: the 2 processes read different samples"),
        ("broken", "DataError: the dataset is empty"),
        ("small", "ConfigError: batch_size=1 over 2 processes"),
    ],
)
def test_bad_input_is_told_in_all_of_them(ranks, what, message):
    assert all(rank[what].startswith(message) for rank in ranks)


@pytest.mark.parametrize(
    ("generator", "options", "message"),
    [
        ("vae", {"strategy": "ddp"}, "torchrun --nproc-per-node"),
        ("vae", {"strategy": "fsdp"}, "strategy='fsdp'"),
        ("vae", {"strategy": "ddp", "device": "cpu:0"}, "expected|leave out :0"),
        ("vae", {"strategy": "ddp", "privacy": augsynth.Privacy(1.0, 1e-5)}, "with privacy="),
        ("merf", {"strategy": "ddp"}, "not fitted by steps on batches"),
    ],
)
def test_bad_arguments(digits, generator, options, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        augsynth.fit(generator, digits, steps=2, progress=False, **options)
