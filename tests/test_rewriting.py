"""Rewriting: by pretrained models, by phrases of one class, and held against a judge."""

import pickle
import shutil
from functools import partial

import numpy as np
import pytest
import torch
from augsynth_transformers import base
from augsynth_transformers.contextual import Contextual
from augsynth_transformers.paraphrase import Paraphrase
from augsynth_transformers.rewriting import PAIRS, Rewriter
from augsynth_transformers.translation import BackTranslation
from safetensors.torch import load_file, save_file

import augsynth
from augsynth.testing import checks
from tests.language_model import SENTENCES, tiny_masked_model, tiny_model, tiny_translator

pytestmark = [
    pytest.mark.filterwarnings("ignore::augsynth.AugsynthWarning"),
    pytest.mark.filterwarnings("ignore:Recommended. pip install sacremoses"),
]
PLAIN = [(a, f"see {a}") for a in SENTENCES[:3]]


class TinyContextual(Contextual):
    modality = "text"

    def __init__(self, **config):
        super().__init__(model=str(tiny_masked_model()), ratio=0.3, **config)


class TinyParaphrase(Paraphrase):
    modality = "text"

    def __init__(self, **config):
        super().__init__(model=str(tiny_model()), pairs=PLAIN, temperature=1.0, **config)


class TinyTranslation(BackTranslation):
    modality = "text"

    def __init__(self, **config):
        super().__init__(there=str(tiny_translator()), back=str(tiny_translator()), temperature=2.0, **config)


ALL = [TinyContextual, TinyParaphrase, TinyTranslation]


@pytest.mark.parametrize("transform", ALL, ids=["contextual", "paraphrase", "back_translation"])
@pytest.mark.parametrize("check", checks("transform"), ids=lambda check: check.__name__)
def test_they_keep_what_transforms_promise(transform, check):
    check(transform)


@pytest.mark.parametrize("transform", ALL, ids=["contextual", "paraphrase", "back_translation"])
def test_texts_together_are_what_they_are_alone(transform):
    made, texts, seeds = transform(), [*SENTENCES[:24:4], " "], list(range(7))
    together = made.many(texts, seeds)
    assert together == [made(text, seed=seed) for text, seed in zip(texts, seeds, strict=True)]
    assert together[-1] == " "


def test_contextual_changes_words_for_likely_ones():
    made, known = TinyContextual(), {word for text in SENTENCES for word in text.split()}
    for seed, text in enumerate(SENTENCES[::9]):
        before, after = text.split(), made(text, seed=seed).split()
        assert len(before) == len(after) and set(after) <= known
        assert sum(a != b for a, b in zip(before, after, strict=True)) == round(0.3 * len(before))


def test_a_translation_there_and_back_says_the_same():
    told = augsynth.create("transform", "back_translation", there=str(tiny_translator()), back=str(tiny_translator()))
    kept = sum(told(text, seed=seed) == text for seed, text in enumerate(SENTENCES[:80:8]))
    assert kept >= 8, "the tiny model was taught to repeat"
    freer = [TinyTranslation()(text, seed=seed) for seed, text in enumerate(SENTENCES[:80:8])]
    assert freer != SENTENCES[:80:8] and all(text.strip() for text in freer)


def test_a_model_for_something_else_is_refused(tmp_path):
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tiny_masked_model() / name, tmp_path)
    weights = load_file(tiny_masked_model() / "model.safetensors")
    save_file(
        {k: v for k, v in weights.items() if not k.startswith("cls")}, tmp_path / "model.safetensors", {"format": "pt"}
    )
    with pytest.raises(augsynth.ConfigError, match="holds no model that fills in words: it has no weights for cls"):
        augsynth.create("transform", "contextual", model=str(tmp_path))
    with pytest.raises(augsynth.ConfigError, match="its tokenizer has no mask"):
        augsynth.create("transform", "contextual", model=str(tiny_model()))
    with pytest.raises(augsynth.ConfigError, match="holds no model that makes one text of another"):
        augsynth.create("transform", "back_translation", there=str(tiny_model()), back=str(tiny_model()))
    with pytest.raises(augsynth.ConfigError, match="there is no such folder"):
        augsynth.create("transform", "paraphrase", model=str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("paraphrase", {"temperature": -1}, "temperature=-1"),
        ("paraphrase", {"dtype": "int8"}, "dtype='int8'"),
        ("paraphrase", {"top_p": 0}, "top_p=0"),
        ("paraphrase", {"pairs": ["one"]}, "'one' is no pair"),
        ("paraphrase", {"pairs": [("a", " ")]}, "is no pair"),
        ("contextual", {"ratio": 2}, "ratio=2"),
        ("contextual", {"top_k": 0}, "top_k=0"),
    ],
)
def test_bad_settings(name, config, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        augsynth.create("transform", name, model=str(tiny_model()), **config)


@pytest.fixture(scope="module")
def gen():
    data = [(text, ("even", "odd")[i % 2]) for i, text in enumerate(SENTENCES[:40])]
    return augsynth.fit("transformers", data, model=str(tiny_model()), progress=False)


def test_vary_says_it_in_other_words(gen):
    texts, labels = SENTENCES[:12], ["even", "odd"] * 6
    made = list(gen.vary(texts, labels, seed=0).x)
    changed = [new for new, old in zip(made, texts, strict=True) if new != old]
    assert changed and all(text and "=>" not in text and "\n" not in text for text in changed)
    assert list(gen.vary(texts, labels, strength=0.0, seed=0).x) == texts
    alone = list(gen.vary(texts[3:4], labels[3:4], seeds=gen.vary(texts, labels, seed=0).meta.seeds[3:4]).x)
    assert alone == made[3:4]


def test_what_is_no_rewriting_leaves_the_text(monkeypatch):
    tokenizer, model = base.loaded(str(tiny_model()), "float32")
    rewrite = Rewriter(model, tokenizer, PLAIN)
    text = SENTENCES[0]
    for said in ("", text, text.upper() + " !", "a => b", "word " * 40, "so so so so so so so so"):
        monkeypatch.setattr("augsynth_transformers.rewriting.text_of", lambda *_, said=said: said)
        assert rewrite([text], torch.tensor([1]), temperature=1.0) == [text]
    question, answer, other = "Who was the host ?", "King was the host.", "“Which man was the host?”"
    for text, said, kept in ((question, answer, question), (answer, question, answer), (question, other, other)):
        monkeypatch.setattr("augsynth_transformers.rewriting.text_of", lambda *_, said=said: said)
        assert rewrite([text], torch.tensor([1]), temperature=1.0) == [kept]  # who asks is not answered
    long = "word " * 400  # more than the model sees
    assert rewrite([long], torch.tensor([1]), temperature=1.0) == [long]
    assert all(len(pair) == 2 for pair in PAIRS)


def test_the_likelihood_of_a_text_is_that_of_its_tokens(gen):
    texts, labels = [*SENTENCES[:3], "hill"], torch.tensor([0, 1, 0, 1])
    found = gen.log_prob(texts, ["even", "odd", "even", "odd"])
    for row, text in enumerate(texts):
        own = []
        for number in range(gen.prompts):
            prompt, body = gen._prompt(int(labels[row]), -1, number)[0], gen.continued(text)
            with torch.no_grad():
                logits = gen.network(input_ids=torch.tensor([[*prompt, *body]])).logits[0].log_softmax(1)
            own.append(sum(float(logits[len(prompt) - 1 + i, one]) for i, one in enumerate(body)))
        assert float(found[row]) == pytest.approx(np.logaddexp.reduce(own) - np.log(gen.prompts), abs=1e-3)
    assert found[0] > gen.log_prob(["xq zzj qwv pfk"], ["even"])[0]


# ---------------------------------------------------------------------- phrases of one class


NEWS = [("the team won the cup again today", "sport"), ("a striker scored two goals for the team", "sport")]
NEWS += [("shares of the bank fell again today", "money"), ("the market lost two percent for the week", "money")]


@pytest.fixture(scope="module")
def mix():
    return augsynth.fit("phrase_mix", NEWS, progress=False)


def test_phrases_come_from_texts_of_the_class(mix):
    made = mix.vary([x for x, _ in NEWS], [y for _, y in NEWS], seed=1).x
    for (text, label), new in zip(NEWS, made, strict=True):
        own = {word for x, y in NEWS if y == label for word in x.split()}
        assert set(new.split()) <= own and len(new.split()) == len(text.split()) and new != text
    drawn = mix.sample(20, labels="money", seed=0).x
    assert all(set(text.split()) <= {w for x, y in NEWS if y == "money" for w in x.split()} for text in drawn)


def test_what_tells_the_class_is_put_in_and_not_taken_out(mix):
    made = mix.vary(["the team won the cup again today"], ["sport"], seed=3).x[0]
    assert "striker" in made or "scored" in made or "goals" in made
    assert "won" in made and "cup" in made


def test_a_checkpoint_of_phrases_says_that_it_holds_texts(mix, tmp_path):
    mix.save(tmp_path / "mix")
    assert "holds real samples" in (tmp_path / "mix" / "README.md").read_text()
    assert list(augsynth.load(tmp_path / "mix").sample(5, seed=2).x) == list(mix.sample(5, seed=2).x)


def test_a_class_of_one_text_has_no_other_phrase():
    with pytest.warns(augsynth.FitWarning, match="no other to take a phrase of: 'odd'"):
        gen = augsynth.fit("phrase_mix", [*NEWS, ("one all alone", "odd")], progress=False)
    assert list(gen.vary(["one  all alone"], ["odd"], seed=0).x) == ["one  all alone"]
    with pytest.raises(augsynth.DataError, match="no class has two different texts"):
        augsynth.fit("phrase_mix", [("one all alone", "odd"), ("and another", "even")], progress=False)


# ---------------------------------------------------------------------- held against a judge


def says(texts, word):
    return [[1.0, 0.0] if word in text else [0.0, 1.0] for text in texts]


class Cut(augsynth.authoring.TextTransform):
    """The text without one of its words, by seed."""

    def apply(self, text, seed):
        words = text.split()
        del words[seed % len(words)]
        return " ".join(words)


def test_checked_keeps_what_the_judge_takes_for_the_same():
    made = augsynth.create("transform", "checked", transform=Cut(), classifier=partial(says, word="cat"), tries=8)
    texts = ["a cat sat here", "a dog sat here"] * 10
    after = made.many(texts, list(range(20)))
    assert all(("cat" in a) == ("cat" in b) for a, b in zip(texts, after, strict=True))
    assert all(a != b for a, b in zip(texts, after, strict=True))
    never = augsynth.create("transform", "checked", transform=Cut(), classifier=partial(says, word="cat"), tries=1)
    assert "cat" in never("a cat", seed=1) and never("cat", seed=0) == "cat"
    assert pickle.loads(pickle.dumps(made)).many(texts, list(range(20))) == after


def test_checked_asks_embeddings():
    class Count:
        def encode(self, texts):
            return np.array([[len(text.split()), 1.0] for text in texts])

    made = augsynth.create("transform", "checked", transform=Cut(), low=0.99, model=Count())
    long, short = "a b c d e f g h i j", "a b"
    assert made(long, seed=0) != long and made(short, seed=0) == short


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"transform": "aeda"}, "nothing would be checked"),
        ({"transform": print, "low": 0.5}, "expected a transform of texts"),
        ({"transform": "aeda", "classifier": 3}, "classifier=3"),
        ({"transform": "aeda", "low": 0.9, "high": 0.5}, "low=0.9, high=0.5"),
        ({"transform": "aeda", "low": 0.5, "tries": 0}, "tries=0"),
    ],
)
def test_checked_says_what_is_wrong(config, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        augsynth.create("transform", "checked", **config)


# ---------------------------------------------------------------------- filters


def test_round_trip_asks_the_generator_for_the_label(mix):
    data = [(f"{x} number {i}", y) for i in range(12) for x, y in NEWS]
    gen = augsynth.fit("lstm", data, steps=150, progress=False, device="cpu")
    passes = augsynth.create("filter", "round_trip", gen=gen)
    made = gen.sample(labels=["sport", "money"] * 10, seed=0)
    right = passes(made)
    assert right.float().mean() >= 0.9
    turned = augsynth.SampleBatch(made.x, made.y, made.meta, made.model_x, 1 - made.classes)
    assert (passes(turned) == ~right).float().mean() >= 0.9
    with pytest.raises(augsynth.ConfigError, match="margin=-1"):
        augsynth.create("filter", "round_trip", gen=gen, margin=-1)


def test_distinct_thins_out_what_comes_again_and_again(mix):
    class Same:
        def sample(self, n, *, seed):
            texts = ["always the same words here"] * n
            return augsynth.SampleBatch(texts, None, [{"seed": i} for i in range(n)], texts, None)

    passes = augsynth.create("filter", "distinct", gen=Same(), number=9)
    texts = ["always the same words here", "quite another text stands there"] * 200
    batch = augsynth.SampleBatch(texts, None, [{"seed": 100 + i} for i in range(400)], texts, None)
    kept = passes(batch)
    assert bool(kept[1::2].all()) and 8 <= int(kept[::2].sum()) <= 36  # one of ten of two hundred
    assert (
        kept[:50].tolist() == passes(augsynth.SampleBatch(texts[:50], None, batch.meta[:50], texts[:50], None)).tolist()
    )
    with pytest.raises(augsynth.ConfigError, match="alike=0"):
        augsynth.create("filter", "distinct", gen=Same(), alike=0)
