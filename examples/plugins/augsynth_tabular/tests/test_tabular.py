"""Tables: the suite, and what is theirs alone."""

import sys
from datetime import date

import pandas as pd
import pytest
from augsynth_tabular.columns import Column
from augsynth_tabular.rows import Rows
from augsynth_tabular.smote import Smote

import augsynth
from augsynth.registry import default_registry
from augsynth.testing import checks

pytestmark = pytest.mark.filterwarnings("ignore::augsynth.errors.CollapseWarning")


@pytest.mark.parametrize("name", ["tvae", "marginals"])
@pytest.mark.parametrize("check", checks("generator"), ids=lambda check: check.__name__)
def test_generator(check, name):
    check(f"augsynth-tabular/{name}")


@pytest.fixture(scope="module")
def tiny():
    return default_registry().modality("tabular").tiny(240)


@pytest.fixture(scope="module")
def gen(tiny):
    return augsynth.fit("tvae", tiny, steps=600, progress=False, device="cpu")


def test_rows_have_the_columns_types_and_gaps_of_real_ones(tiny, gen):
    rows = gen.sample(300, seed=0).x
    assert all(list(row) == list(tiny[0][0]) for row in rows)
    assert {type(row["children"]) for row in rows} == {int} and {row["city"] for row in rows} <= {
        "Rome",
        "Oslo",
        "Lima",
    }
    assert all(date.fromisoformat(row["since"]) for row in rows)
    gaps = sum(row["income"] is None for row in rows) / 300
    assert 0.05 < gaps < 0.4, "a fifth of the real ones are missing"


def test_rows_carry_the_label_that_was_asked_for(gen):
    tall, small = (pd.DataFrame(gen.sample(200, labels=c, seed=0).x)["height"].mean() for c in (2, 0))
    assert tall - small > 20


def test_it_blends_pools_evaluates_and_is_tuned_against_smote(tiny, gen, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    blended = augsynth.SyntheticDataset(tiny, gen, ratio=0.5, seed=0)
    assert [y for _, y in (blended[i] for i in range(30))] == tiny.targets[:30]
    with augsynth.SamplePool(gen, 60) as pool:
        assert list(augsynth.SyntheticDataset(tiny, pool, ratio=1.0, seed=0)[0][0]) == list(tiny[0][0])
    held = default_registry().modality("tabular").tiny(240, seed=1)
    found = augsynth.evaluate(gen, tiny, held, n=120, judge_steps=100, progress=False, overlap="drop", out=tmp_path)
    assert not found.failed, found.failed
    rare = Rows(tiny.rows[:90] + [r for i, r in enumerate(tiny.rows[90:]) if i % 3 == 0],
                tiny.targets[:90] + [y for i, y in enumerate(tiny.targets[90:]) if i % 3 == 0])  # fmt: skip
    classic = augsynth.tune_classic(rare, seeds=2, steps=20, progress=False, jobs=1)
    assert set(classic.scores) == {"none", "smote", "smote, 3 neighbours"}
    gained = augsynth.uplift(rare, held, gen, classic=Smote(), seeds=2, steps=20, progress=False, jobs=1)
    assert "real + classic" in gained.arms


def test_smote_fills_the_rare_class_up(tiny):
    few = Rows(tiny.rows[:60] + tiny.rows[62:180:3], tiny.targets[:60] + tiny.targets[62:180:3])
    more = Smote().resample(few, 0)
    counts = pd.Series(more.targets).value_counts()
    assert counts.min() == counts.max() and len(more) > len(few)
    assert all(list(row) == list(tiny[0][0]) for row, _ in (more[i] for i in range(len(more))))


def test_frames_and_files(tmp_path):
    frame = pd.DataFrame({"age": [31, 42, None], "since": pd.to_datetime(["2020-01-01"] * 3), "ok": ["y", "n", "y"]})
    data = Rows.of(frame, label="ok")
    assert data[2] == ({"age": None, "since": frame["since"][2].to_pydatetime()}, "y")
    frame.to_csv(tmp_path / "people.csv", index=False)
    read = augsynth.open_dataset(str(tmp_path / "people.csv"), rows=True, label="ok")
    assert len(read) == 3 and read.targets == ["y", "n", "y"]
    with pytest.raises(augsynth.ConfigError, match="no such column; there are: age, since, ok"):
        Rows.of(frame, label="nothing")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([None, float("nan")], "column 'c': all of its 2 values are missing"),
        ([1, "a"], "column 'c' is of mixed types, category, integer: row 1 holds 'a'"),
        ([[1], [2]], "a value of type list"),
        ([f"id-{i}" for i in range(300)], "300 different values.*identifiers"),
        ([1.0, float("inf")], "infinite"),
    ],
)
def test_bad_columns_are_named(column, message):
    with pytest.raises(augsynth.DataError, match=message):
        Column.of("c", column)


def test_rows_of_other_columns_are_named_by_their_position(tiny):
    rows = [tiny[0], ({"height": 3.0}, 1)]
    with pytest.raises(augsynth.DataError, match=r"sample 1: a row with the columns \['height'\]"):
        augsynth.fit("tvae", rows, progress=False)


def test_the_options_say_whether_a_table_is_one_of_rows_or_of_texts(tmp_path):
    file = tmp_path / "some.csv"
    file.write_text("text,label,age\nhello,a,3\nwell,b,4\nso,a,5\n")
    assert augsynth.open_dataset(str(file), rows=True, label="label")[0] == ({"text": "hello", "age": 3}, "a")
    assert augsynth.open_dataset(str(file), text="text", label="label")[0] == ("hello", "a")
    with pytest.raises(augsynth.ConfigError, match="takes no --size; its options are: --text, --label"):
        augsynth.open_dataset(str(file), size=8)


def test_without_ctgan_the_error_names_the_extra(tiny, monkeypatch):
    monkeypatch.setitem(sys.modules, "ctgan", None)
    monkeypatch.delitem(sys.modules, "augsynth_tabular.tvae", raising=False)
    with pytest.raises(augsynth.MissingDependencyError, match=r"pip install 'augsynth-tabular\[tvae\]'"):
        augsynth.fit("tvae", tiny, progress=False)
