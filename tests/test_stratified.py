"""Samples that are held out are of every class, and none of them is left to train on."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import augsynth
from augsynth.fitting.stratified import stratified_split
from augsynth.fitting.training_data import TrainingData


def data_of(rows):
    """Images by number and class."""
    samples = [(torch.full((1, 4, 4), number, dtype=torch.uint8), label) for number, label in rows]
    return TrainingData.read(samples, show=False)


ROWS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), min_size=2, max_size=40)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, share=st.floats(0.01, 0.99), seed=st.integers(0, 2**31))
def test_no_sample_is_on_both_sides(rows, share, seed):
    alone = [c for c in {label for _, label in rows} if len({number for number, label in rows if label == c}) < 2]
    data = data_of(rows)
    if alone:
        with pytest.raises(augsynth.DataError, match="a class of one sample"):
            stratified_split(data, share, seed)
        return
    train, held = stratified_split(data, share, seed)
    assert sorted(train + held) == list(range(len(rows)))
    assert not {rows[i] for i in train} & {rows[i] for i in held}
    assert {rows[i][1] for i in train} == {rows[i][1] for i in held} == {label for _, label in rows}
    assert (train, held) == stratified_split(data, share, seed)


def test_a_class_of_copies_is_named():
    rows = [(0, 0), (1, 0), (5, 1), (5, 1), (5, 1)]
    with pytest.raises(augsynth.DataError, match=r"a class of one sample \(position 2, 3 times\)"):
        augsynth.tune_classic([(x, y) for x, y in zip(data_of(rows).raw, [y for _, y in rows], strict=True)])
