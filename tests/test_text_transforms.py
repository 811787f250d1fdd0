"""eda, aeda and their like."""

import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

import augsynth
from augsynth.modalities.text.tiny import TinyTexts
from tests.support import needs_wordnet, quick_fit

SYNONYMS = {"quick": ["fast", "rapid"], "dog": ["hound"], "jumps": ["leaps"]}
TEXT = "The Quick brown fox jumps over the lazy dog, near the “river” bank."
SENTENCES = st.lists(st.text(st.characters(exclude_categories=("Cs", "Zs", "Cc")), min_size=1), min_size=1, max_size=20)


def make(name, **config):
    return augsynth.create("transform", name, **config)


@given(SENTENCES, st.integers(0, 2**62))
def test_a_swap_keeps_the_words(words, seed):
    text = " ".join(words)
    assert sorted(make("eda", operations=["swap"])(text, seed=seed).split(" ")) == sorted(text.split(" "))


@given(SENTENCES, st.integers(0, 2**62), st.floats(0.01, 1.0))
def test_deletion_keeps_the_order_and_leaves_something(words, seed, alpha):
    text = " ".join(words)
    made = make("eda", operations=["delete"], alpha=alpha)(text, seed=seed).split(" ")
    rest = iter(text.split(" "))
    assert made and all(word in rest for word in made)


@given(SENTENCES, st.integers(0, 2**62))
def test_aeda_only_inserts_marks(words, seed):
    text = " ".join(words)
    made = make("aeda")(text, seed=seed).split(" ")
    added = len(made) - len(text.split(" "))
    assert 1 <= added <= max(1, len(text.split(" ")) // 3)
    rest = iter(made)
    assert all(word in rest for word in text.split(" "))


def test_synonyms_keep_case_and_punctuation():
    made = {make("eda", operations=["synonym"], synonyms=SYNONYMS, alpha=0.3)(TEXT, seed=i) for i in range(20)}
    assert made and all("near the “river” bank." in text and "hound," in text for text in made)
    assert {text.split()[1] for text in made} == {"Fast", "Rapid"}


def test_insertion_adds_a_synonym():
    before = TEXT.split()
    added = []
    for seed in range(20):
        after = make("eda", operations=["insert"], synonyms=SYNONYMS)(TEXT, seed=seed).split()
        added += [word for word in after if word not in before]
        assert len(after) - len(before) in (0, 1)  # ten tries may all meet words without a synonym
    assert len(added) > 10 and set(added) == {"fast", "rapid", "hound", "leaps"}


def test_rates_are_those_asked_for():
    words = " ".join(f"w{i}" for i in range(50))
    deleted = make("eda", operations=["delete"], alpha=0.2)
    kept = np.mean([len(deleted(words, seed=i).split()) / 50 for i in range(300)])
    assert 0.78 < kept < 0.82
    same = make("eda", operations=["delete"], alpha=0.5, n_aug=4)
    assert 0.13 < np.mean([same(words, seed=i) == words for i in range(1000)]) < 0.27


@pytest.mark.parametrize(("n", "alpha", "n_aug"), [(400, 0.05, 16), (2000, 0.05, 8), (5000, 0.1, 4), (50_000, 0.1, 4)])
def test_the_papers_settings(n, alpha, n_aug):
    from augsynth_text_transforms.eda import EDA

    made = EDA.for_size(n, synonyms={})
    assert (made.alpha, made.n_aug) == (alpha, n_aug)


def test_wordnet():
    needs_wordnet()
    hypernyms = make("wordnet", relation="hypernym", rate=1.0)
    assert {hypernyms("a dog", seed=i) for i in range(30)} & {"a canine", "a domestic animal"}
    assert hypernyms("of the", seed=0) == "of the"
    assert any(make("eda", operations=["synonym"])(TEXT, seed=i) != TEXT for i in range(5))


def test_wordnet_from_two_workers_is_that_of_none():
    needs_wordnet()
    texts = [f"The {word} dog runs home" for word in ("big", "small", "old", "young", "red") * 20]
    gen = quick_fit("lstm", texts, steps=2)
    epochs = []
    for workers in (0, 2):
        blended = augsynth.SyntheticDataset(texts, gen, ratio=0.0, transform=make("wordnet", rate=0.9), seed=0)
        epochs.append([x for batch in DataLoader(blended, batch_size=10, num_workers=workers) for x in batch])
    assert epochs[0] == epochs[1] and epochs[0] != texts


def test_missing_nltk_data_is_explained(monkeypatch, tmp_path):
    from augsynth_text_transforms import stopwords, wordnet
    from nltk import data

    monkeypatch.setattr(data, "path", [str(tmp_path)])
    stopwords._listed.cache_clear()
    with pytest.raises(augsynth.DataError, match="python -m nltk.downloader stopwords") as caught:
        make("stopwords", words="german")
    assert str(tmp_path) in str(caught.value)
    wordnet._reader.cache_clear(), wordnet.related.cache_clear()
    from nltk.corpus.reader import WordNetCorpusReader
    from nltk.corpus.util import LazyCorpusLoader

    monkeypatch.setattr("nltk.corpus.wordnet", LazyCorpusLoader("no_such_wordnet", WordNetCorpusReader, None))
    with pytest.raises(augsynth.DataError, match="python -m nltk.downloader wordnet"):
        make("wordnet", rate=1.0)("some dog", seed=0)
    wordnet._reader.cache_clear()


def test_stop_words_go():
    assert make("stopwords", rate=1.0)("The dog is in the house.", seed=0) == "dog house."
    assert make("stopwords", rate=1.0)("of the", seed=0) == "of the", "something is always left"
    assert make("stopwords", rate=1.0, words=["dog"])("The dog", seed=0) == "The"


def test_any_augmenter_of_nlpaug_is_seeded():
    import nlpaug.augmenter.char as nac

    named = make("nlpaug", augmenter="char.KeyboardAug", aug_char_p=0.5)
    given_ = make("nlpaug", augmenter=nac.KeyboardAug(aug_char_p=0.5))
    assert named(TEXT, seed=3) == given_(TEXT, seed=3) != TEXT
    assert named(TEXT, seed=3) != named(TEXT, seed=4)
    state = random.getstate()
    named(TEXT, seed=5)
    assert random.getstate() == state


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("eda", {"alpha": 0.0}, "alpha=0.0"),
        ("eda", {"operations": ["swop"]}, "there is no 'swop'"),
        ("eda", {"operations": []}, "operations="),
        ("eda", {"n_aug": 0}, "n_aug=0"),
        ("aeda", {"ratio": 2.0}, "ratio=2.0"),
        ("wordnet", {"relation": "antonym"}, "relation='antonym'"),
        ("wordnet", {"rate": 2}, "rate=2"),
        ("stopwords", {"rate": -1}, "rate=-1"),
        ("nlpaug", {"augmenter": "char.NoAug"}, "there are: .*KeyboardAug"),
        ("nlpaug", {"augmenter": "KeyboardAug"}, "expected char.NAME"),
        ("nlpaug", {"augmenter": "char.KeyboardAug", "nonsense": 1}, "nonsense"),
        ("nlpaug", {"augmenter": 3}, "augmenter=3"),
    ],
)
def test_bad_settings_are_named(name, config, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        make(name, **config)


def test_only_text_is_taken():
    with pytest.raises(augsynth.DataError, match="AEDA got Tensor"):
        make("aeda")(torch.zeros(3))


def test_they_apply_to_real_and_synthetic_alike():
    data = TinyTexts(30)
    gen = quick_fit("lstm", data, steps=5)
    blended = augsynth.SyntheticDataset(data, gen, ratio=0.5, seed=0, transform=[make("aeda"), str.upper])
    plain = augsynth.SyntheticDataset(data, gen, ratio=0.5, seed=0)
    for (x, _), (y, _) in zip(blended, plain, strict=True):
        assert x.isupper() and len(x.split(" ")) > len(y.split(" "))
