"""Cleaning texts: what goes, what stays, and that all of it is told."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import augsynth
from augsynth.modalities.text.cleaning import normalised

SENTENCES = [
    "How far is it from Denver to Aspen ?", "What county is Modesto , California in ?", "Who was Galileo ?",
    "What is an atom ?", "When did Hawaii become a state ?", "How tall is the Sears Building ?",
    "George Bush purchased a small interest in which baseball team ?", "What is Australia 's national flower ?",
    "Why does the moon turn orange ?", "What is autism ?",
]  # fmt: skip


def reasons(cleaned):
    return {one.index: one.reason for one in cleaned.report.removed}


def test_each_reason_is_told_with_its_row():
    pytest.importorskip("datasketch")
    rows = [
        *SENTENCES,
        " \n",
        "What is an ATOM ?",
        "How far is it from Denver to Aspen Hill ?",
        " ".join(map(str, range(5000))),
        "ha " * 60,
    ]
    cleaned = augsynth.clean(rows, threshold=0.75)
    assert reasons(cleaned) == {10: "empty", 11: "duplicate", 12: "near-duplicate", 13: "length", 14: "repetition"}
    assert list(cleaned) == SENTENCES and len(cleaned) == 10
    text = str(cleaned.report)
    assert "10 of 15 texts kept" in text and "row 12 (near-duplicate: of row 0)" in text
    assert cleaned.report.to_json()["counts"]["length"] == 1


def test_structure_and_labels_are_kept_and_conflicts_told():
    rows = [{"t": "some  text ", "y": 1}, {"t": "Some text", "y": 0}, {"t": "other words", "y": 1}]
    cleaned = augsynth.clean(rows, duplicates="exact", outliers=False, fields={"x": "t", "y": "y"})
    assert list(cleaned) == [{"t": "some text", "y": 1}, {"t": "other words", "y": 1}]
    assert cleaned.report.normalised == [0]
    assert cleaned.report.removed[0].detail == "of row 0, which has the label 1"
    assert rows[0]["t"] == "some  text ", "the dataset itself is not changed"


def test_clean_text_is_left_alone():
    cleaned = augsynth.clean(SENTENCES, duplicates="exact")
    assert list(cleaned) == SENTENCES and not cleaned.report.removed and not cleaned.report.normalised


def test_what_minhash_finds_is_what_comparing_all_pairs_finds():
    pytest.importorskip("datasketch")
    rng = random.Random(0)
    words = [a + b + c for a in "kst" for b in "aeo" for c in "nr"]
    texts = [" ".join(rng.choice(words) for _ in range(25)) for _ in range(60)]
    texts += [text.replace(rng.choice(text.split()), "be", 1) for text in texts[:20]]
    cleaned = augsynth.clean(texts, threshold=0.8, outliers=False)

    def overlap(a, b):
        a, b = ({t[i : i + 5] for i in range(len(t) - 4)} for t in (a, b))
        return len(a & b) / len(a | b)

    expected = {i for i in range(len(texts)) if any(overlap(texts[i], texts[j]) >= 0.8 for j in range(i))}
    assert len(expected) > 10 and len(expected ^ set(reasons(cleaned))) <= 1  # MinHash is an estimate


@given(st.text())
def test_normalising_twice_changes_nothing(text):
    assert normalised(normalised(text)) == normalised(text)


def test_emoji_and_scripts_survive():
    for text in ("👩‍🚀 ok", "नमस्ते", "é", "﷽"):
        assert normalised(text) == text
    assert normalised("e\u0301") == "é" and normalised("\ufeffa\x00b\t\tc") == "ab c"


@pytest.mark.parametrize(
    ("dataset", "options", "error", "message"),
    [
        ([], {}, augsynth.DataError, "empty"),
        (["a", 3], {}, augsynth.DataError, "sample 1: a text of type int"),
        (["a"], {"duplicates": "fuzzy"}, augsynth.ConfigError, "duplicates='fuzzy'"),
        (["a"], {"threshold": 0}, augsynth.ConfigError, "threshold=0"),
    ],
)
def test_mistakes_are_named(dataset, options, error, message):
    with pytest.raises(error, match=message):
        augsynth.clean(dataset, **options)
