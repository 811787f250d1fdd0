"""Texts through fitting, sampling, checkpoints and the loader."""

import math

import pytest
import torch
from torch.utils.data import DataLoader

import augsynth
from augsynth.modalities.text.spec import LONGEST, Texts
from augsynth.modalities.text.tiny import TinyTexts
from tests.support import quick_fit


@pytest.fixture(scope="module")
def data():
    return TinyTexts(60)


@pytest.fixture(scope="module")
def lstm(data):
    return quick_fit("lstm", data, steps=150, batch_size=16)


def test_samples_speak_of_their_class(lstm):
    words = {0: {"cat", "dog", "fox"}, 1: {"red", "blue", "green"}, 2: {"one", "two", "three"}}
    for label, own in words.items():
        others = set().union(*(found for other, found in words.items() if other != label))
        texts = lstm.sample(40, labels=label, seed=0, temperature=0.7).x
        right = sum(any(w in text for w in own) and not any(w in text for w in others) for text in texts)
        assert right >= 32, texts


def test_spaces_quotes_and_accents_are_those_of_the_data(lstm, data):
    texts = lstm.sample(50, labels=[0] * 50, seed=1, temperature=0.0).x
    assert len(set(texts)) == 1, "temperature 0 is greedy"
    assert texts[0].startswith("The ") and texts[0].endswith(" – sí?") and "“" in texts[0] and "  " not in texts[0]


@pytest.mark.parametrize("level", ["word", "bpe", "char"])
def test_every_script_survives_the_round_trip(level):
    texts = ["Mixed 你好 мир  ‘quotes’", "emoji 👩‍🚀🎉 and\ttabs", "ends with space? no", "naïve café – 100 %"]
    gen = quick_fit("lstm", texts, steps=1, level=level)
    assert [gen.tokenizer.decode(gen.tokenizer.encode(text).ids) for text in texts] == texts


def test_the_level_follows_the_data():
    assert quick_fit("lstm", ["two words", "three more words"], steps=1).config["level"] == "word"
    assert (
        quick_fit("lstm", ["没有空格的文字在这里就是这样写的", "另一个没有空格的很长的句子在这里"], steps=1).config[
            "level"
        ]
        == "char"
    )


@pytest.mark.parametrize("data", [["word"] * 3, [("one", 0), ("two", 1), ("three", 1)]], ids=["one word", "single"])
def test_tiny_corpora_fit(data):
    gen = quick_fit("lstm", data, steps=5)
    assert all(gen.sample(4, seed=0).x)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top_p": 0}, r"top_p=0: expected a share in \(0, 1\]"),
        ({"top_p": 1.5}, "top_p=1.5"),
        ({"top_k": 0}, "top_k=0"),
        ({"temperature": -0.1}, "temperature=-0.1"),
        ({"repetition_penalty": 0}, "repetition_penalty=0"),
        ({"max_length": 0}, "max_length=0"),
        ({"max_length": 3, "min_length": 4}, "min_length=4"),
        ({"prompt": "Zeppelin"}, "has not seen all of its words"),
        ({"prompt": 3}, "prompt=3"),
        ({"topk": 3}, "no option 'topk'.*it has: .*top_k"),
    ],
)
def test_bad_options_are_named(lstm, options, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        lstm.sample(2, seed=0, **options)


def test_options_of_sampling(lstm):
    assert all(text.startswith("The cat is") for text in lstm.sample(8, labels=0, seed=0, prompt="The cat is").x)
    assert all(len(lstm.tokenizer.encode(text).ids) <= 3 for text in lstm.sample(8, seed=0, max_length=3).x)
    assert lstm.sample(8, seed=0, top_k=1).x == lstm.sample(8, seed=0, temperature=0).x
    assert lstm.sample(8, seed=0, top_p=1e-6).x == lstm.sample(8, seed=0, temperature=0).x
    row = lstm.sample(1, seed=0, top_p=0.9).meta[0]
    assert row["top_p"] == 0.9 and row["plugin"] == "augsynth/lstm"


def test_words_are_not_glued_together(lstm):
    texts = lstm.sample(200, seed=3, temperature=3.0).x
    tokens = [encoding.tokens for encoding in lstm.tokenizer.encode_batch(texts)]
    assert "<unk>" not in {token for row in tokens for token in row[1:]}, "a word that no training text has"


def test_a_fine_tail_is_cut_by_top_p():
    from augsynth.authoring import choose_by_logits as choose

    logits = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log().expand(1000, -1)
    u = (torch.arange(1000) + 0.5) / 1000
    free = torch.bincount(choose(logits, u, temperature=1.0, top_k=None, top_p=None), minlength=4)
    cut = torch.bincount(choose(logits, u, temperature=1.0, top_k=None, top_p=0.7), minlength=4)
    assert free.tolist() == [500, 300, 150, 50] and cut.tolist() == [625, 375, 0, 0]


def test_log_probabilities_and_perplexity_agree(lstm, data):
    texts, labels = [x for x, _ in data][:6], [y for _, y in data][:6]
    scores = lstm.log_prob(texts, labels)
    alone = torch.stack([lstm.log_prob([x], [y])[0] for x, y in zip(texts, labels, strict=True)])
    torch.testing.assert_close(scores, alone)
    tokens = sum(len(lstm.tokenizer.encode(x).ids) + 1 for x in texts)
    figures = lstm.perplexity(texts, labels)
    assert figures["all"] == pytest.approx(math.exp(-float(scores.sum()) / tokens)) and set(figures) == {
        "all", "0", "1", "2",
    }  # fmt: skip
    assert lstm.perplexity(texts, [(y + 1) % 3 for y in labels])["all"] > 2 * figures["all"]


def test_a_hold_out_is_assessed(data):
    gen = quick_fit("lstm", data, validation=0.2, steps=40)
    assert gen.fit_info["best_step"] and gen.fit_info["perplexity"]["all"] > 1


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("", "sample 1: an empty text"),
        (" \n", "sample 1: an empty text"),
        ("x" * (LONGEST + 1), "sample 1: a text of 100,001 characters"),
        ("a\udc80b", "sample 1: .*no valid Unicode at character 1"),
        (b"bytes", "sample 1: a text of type bytes"),
    ],
)
def test_bad_texts_are_named_by_their_position(bad, message):
    with pytest.raises(augsynth.DataError, match=message):
        quick_fit("lstm", ["a good text", bad])


def test_a_long_line_neither_hangs_nor_sets_the_pace():
    gen = quick_fit("lstm", ["short text here"] * 30 + ["long " * 15_000], steps=3)
    assert gen.longest <= 40 and len(gen.sample(2, seed=0)) == 2
    scores = gen.log_prob(["short text here", "long " * 3000, "text"])
    assert scores[1] < scores[0] and torch.isclose(scores[2], gen.log_prob(["text"])[0])


# ---------------------------------------------------------------- blending


def test_blends_in_a_stock_loader(lstm, data):
    blended = augsynth.SyntheticDataset(data, lstm, ratio=0.5, seed=0, provenance=True, sample_options={"top_p": 0.95})
    epochs = []
    for workers in (0, 2):
        blended.set_epoch(1)
        loader = DataLoader(blended, batch_size=16, num_workers=workers)
        epochs.append([(x, y.tolist(), meta["synthetic"].tolist()) for x, y, meta in loader])
    assert epochs[0] == epochs[1]
    made = [flag for _, _, flags in epochs[0] for flag in flags]
    assert 15 < sum(made) < 45 and [y for _, ys, _ in epochs[0] for y in ys] == data.targets


def test_tokens_of_the_users_own(lstm, data):
    def tokenize(text):
        return {"input_ids": [ord(c) for c in text], "length": len(text)}

    blended = augsynth.SyntheticDataset(data, lstm, ratio=0.5, seed=0, transform=tokenize)
    rows = [blended[i] for i in range(20)]
    assert all(len(x["input_ids"]) == x["length"] for x, _ in rows)
    assert len({x["length"] for x, _ in rows}) > 1


def test_dicts_and_string_labels():
    rows = [{"text": f"word {i % 2} again", "label": ["no", "yes"][i % 2], "id": i} for i in range(20)]
    fields = {"x": "text", "y": "label"}
    gen = quick_fit("lstm", rows, fields=fields, steps=20)
    blended = augsynth.SyntheticDataset(rows, gen, ratio=1.0, seed=0, fields=fields, fill={"id": -1})
    made = [blended[i] for i in range(20)]
    assert [row["label"] for row in made] == [row["label"] for row in rows]
    assert all(isinstance(row["text"], str) and row["id"] == -1 for row in made)


def test_hugging_face_datasets_as_they_are(lstm, data):
    datasets = pytest.importorskip("datasets")
    table = datasets.Dataset.from_dict({"text": data.texts, "label": data.targets})
    blended = augsynth.SyntheticDataset(table, lstm, ratio=0.5, seed=0, fields={"x": "text", "y": "label"})
    assert [row["label"] for row in blended] == data.targets


def test_filters_see_the_texts(lstm, data):
    def joined_by_and(batch):
        return torch.tensor([" and " in text for text in batch.model_x])

    blended = augsynth.SyntheticDataset(data, lstm, ratio=1.0, seed=0, filters=[joined_by_and])
    assert all(" and " in text for text, _ in blended) and 0.1 < blended.acceptance_rate < 0.9


def test_text_and_images_do_not_mix(lstm, vae, data, digits):
    with pytest.raises(augsynth.SpecMismatchError, match="fitted on text data"):
        augsynth.SyntheticDataset(digits, lstm, ratio=0.5)
    with pytest.raises(augsynth.ConfigError, match="vae is for image data.*for text there are: .*lstm"):
        augsynth.fit("vae", data, progress=False)


def test_texts_index_like_tensors():
    texts = Texts(["a", "b", "c"])
    assert texts[torch.tensor([2, 0])] == ["c", "a"] and texts[1:] == ["b", "c"] and texts[-1] == "c"
