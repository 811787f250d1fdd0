"""How far real samples are varied: all alike, each by a number of its own, or by class."""

import pytest
import torch

import augsynth
from augsynth.datasets.named import open_dataset
from tests.support import quick_fit

pytestmark = pytest.mark.filterwarnings("ignore::augsynth.CollapseWarning")


@pytest.fixture(scope="module")
def real():
    return open_dataset("digits").subset(torch.arange(120))


@pytest.fixture(scope="module")
def gen(real):
    return quick_fit("vae", real, width=8)


def apart(a, b):
    return (a.float() - b.float()).abs().flatten(1).mean(1)


def test_each_sample_by_its_own_number(real, gen):
    x, y = real.inputs[:6], real.targets[:6]
    mixed = gen.vary(x, y, strength=[0.0, 2.0, 0.5, 2.0, 0.0, 0.5], seed=0)
    for strength, rows in ((0.0, [0, 4]), (2.0, [1, 3]), (0.5, [2, 5])):
        alike = gen.vary(x, y, strength=strength, seed=0).x
        assert apart(mixed.x[rows], alike[rows]).max() <= 1  # grey levels, of rounding
    assert [row["strength"] for row in mixed.meta] == [0.0, 2.0, 0.5, 2.0, 0.0, 0.5]
    assert gen.vary(x, y, strength=0.5, seed=0).meta[3]["strength"] == 0.5


def test_texts_keep_their_order():
    texts = [f"{a} {b}" for a in ("red", "blue", "green") for b in ("cat", "dog", "fox", "owl")] * 3
    gen = quick_fit("lstm_autoencoder", [(text, text.split()[0]) for text in texts], steps=8)
    x, y = texts[:4] + texts[4:6], ["red"] * 4 + ["blue"] * 2
    made = gen.vary(x, y, strength=[0, 1, 0, 1, 0, 1], seed=0).x
    assert [made[i] for i in (0, 2, 4)] == [x[i] for i in (0, 2, 4)]


@pytest.mark.parametrize("strength", [-1, "far", True, float("nan"), [1.0], [[1.0] * 6]])
def test_what_is_no_strength(real, gen, strength):
    with pytest.raises(augsynth.ConfigError, match="strength"):
        gen.vary(real.inputs[:6], real.targets[:6], strength=strength)


def test_by_class(real, gen):
    def blend(strength):
        return augsynth.SyntheticDataset(real, gen, ratio=1.0, mode="vary", strength=strength, seed=0)

    by_class = blend({3: 0.0, "5": 2.0})
    alike = {strength: blend(strength) for strength in (0.0, 1.0, 2.0)}
    for i in range(60):
        x, label = by_class[i]
        wanted = alike[{3: 0.0, 5: 2.0}.get(int(label), 1.0)]
        assert apart(x[None], wanted[i][0][None]).max() <= 1


@pytest.mark.parametrize("strength", [{"eleven": 1.0}, {3: -1}, [1.0, 2.0], "rare"])
def test_strengths_by_class_that_are_none(real, gen, strength):
    with pytest.raises((augsynth.ConfigError, augsynth.UnknownLabelError), match="strength|eleven"):
        augsynth.SyntheticDataset(real, gen, ratio=1.0, mode="vary", strength=strength)
