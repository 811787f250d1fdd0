"""Sentences as points: there and back, between, and around."""

import pytest

import augsynth
from tests.support import quick_fit

pytestmark = pytest.mark.filterwarnings("ignore::augsynth.CollapseWarning")
WHO, WHAT = ("cat", "dog", "fox", "owl"), ("runs", "sleeps", "eats", "sings")


@pytest.fixture(scope="module")
def data():
    day = [(f"the {a} {b} by day", "day") for a in WHO for b in WHAT]
    return (day + [(f"at night a {a} {b}", "night") for a in WHO for b in WHAT]) * 3


@pytest.fixture(scope="module")
def gen(data):
    return quick_fit("lstm_autoencoder", data, steps=250, embedding=32, hidden=48, latent_dim=8, dropout=0.1, lr=1e-2)


def test_there_and_back(gen, data):
    x, y = [text for text, _ in data[:32]], [label for _, label in data[:32]]
    z = gen.encode(x, y)
    assert z.shape == (32, 8)
    back = gen.reconstruct(x, y)
    assert back == gen.decode(z, y)
    assert sum(a == b for a, b in zip(x, back, strict=True)) >= 24


def test_samples_are_sentences_of_their_label(gen):
    made = gen.sample(labels=["day", "night"] * 10, seed=0)
    right = [text.endswith("by day") == (label == "day") for text, label in zip(made.x, made.y, strict=True)]
    assert sum(right) >= 18 and len(set(made.x)) >= 8
    alone = gen.sample(labels=["night"], seeds=[int(made.meta[1]["seed"])])
    assert alone.x[0] == made.x[1]  # whatever the batch


def test_the_way_between_two_ends_at_both(gen, data):
    (start, label), (end, _) = data[0], data[15]
    (path,) = gen.interpolate([start], [end], [label], steps=6)
    assert len(path) == 6 and [path[0], path[-1]] == gen.reconstruct([start, end], [label] * 2)
    assert all(text.endswith("by day") for text in path)


def test_variations(gen, data):
    x, y = [text for text, _ in data[:16]], [label for _, label in data[:16]]
    assert list(gen.vary(x, y, strength=0.0, seed=0).x) == x
    near, far = (gen.vary(x, y, strength=s, seed=0).x for s in (0.1, 2.0))
    kept = [sum(a == b for a, b in zip(x, made, strict=True)) for made in (near, far)]
    assert kept[0] > kept[1]
    assert sum(text.endswith("by day") for text in far) >= 14
    with pytest.raises(augsynth.ConfigError, match="method='sideways'"):
        gen.vary(x, y, method="sideways")


def test_checkpoint(gen, tmp_path):
    loaded = augsynth.load(gen.save(tmp_path / "g"))
    assert list(loaded.sample(6, seed=0).x) == list(gen.sample(6, seed=0).x)


def test_without_labels_and_with_a_long_text():
    texts = ["a b c d", "b c d a", "c d a b " * 30, "d a b c"] * 4
    gen = quick_fit("lstm_autoencoder", texts, steps=5)
    assert len(gen.sample(3, seed=0).x) == 3 and len(gen.encode(texts)) == 16


@pytest.mark.parametrize("setting", [{"word_dropout": 1.0}, {"dropout": -0.1}])
def test_settings_that_cannot_be(setting):
    with pytest.raises(augsynth.ConfigError, match="expected a share"):
        quick_fit("lstm_autoencoder", ["a b", "b a"] * 4, **setting)


@pytest.mark.parametrize("top_p", [0, -1.0, 2])
def test_a_top_p_that_is_none(gen, top_p):
    with pytest.raises(augsynth.ConfigError, match=f"top_p={top_p}"):
        gen.sample(1, labels="day", top_p=top_p)
