"""Tables: the suite, and what is theirs alone."""

import importlib
import sys
from datetime import date, datetime

import numpy as np
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


def test_without_ctgan_the_error_names_the_extra(monkeypatch):
    for name in ("ctgan", "ctgan.data_transformer", "ctgan.synthesizers.tvae"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "augsynth_tabular.tvae", raising=False)
    with pytest.raises(augsynth.MissingDependencyError, match=r"pip install 'augsynth-tabular\[tvae\]'"):
        importlib.import_module("augsynth_tabular.tvae")


def test_numbers_have_the_decimals_of_real_ones():
    rows = [{"price": round(0.25 * (i % 40), 2), "weight": i / 7, "age": float(i % 90)} for i in range(200)]
    price, weight, age = (Column.of(name, [row[name] for row in rows]) for name in rows[0])
    assert (price.decimals, weight.decimals, age.decimals) == (2, None, 0)
    assert (price.value(3.14159), age.value(3.14159)) == (3.14, 3.0) and weight.value(3.14159) == 3.14159
    assert type(age.value(3.14159)) is float
    assert Column.declared("price", low=0.0, high=10.0, decimals=1).value(3.14159) == 3.1
    made = augsynth.fit("marginals", Rows(rows, None), steps=3, progress=False).sample(50, seed=0).x
    assert all(row["price"] == round(row["price"], 2) and row["age"] == int(row["age"]) for row in made)


def test_datetimes_keep_their_hours():
    column = Column.of("at", [datetime(2020, 1, 1, 8, 30), datetime(2020, 1, 2, 17, 45)])
    assert column.value(column.low + 0.25) == datetime(2020, 1, 1, 14, 30)


def test_rows_are_shown_as_a_table(tiny):
    spec = augsynth.fit("marginals", tiny, steps=1, progress=False).spec
    page = default_registry().modality("tabular").html(spec, [{**tiny[0][0], "city": "<b>", "income": None}])
    assert "<th>height</th>" in page and "<td>&lt;b&gt;</td>" in page and "<td></td>" in page


def test_rows_that_different_people_share_are_no_copies(tmp_path):
    def people(seed):
        random = np.random.default_rng(seed)
        rows = [{"a": str(x), "b": int(y), "c": float(z)} for x, y, z in random.integers(0, 4, (300, 3))]
        return Rows(rows, [i % 2 for i in range(300)])

    real, held = people(0), people(1)
    gen = augsynth.fit("marginals", real, steps=300, progress=False, device="cpu")
    settings = {"n": 200, "judge_steps": 20, "progress": False}
    with pytest.raises(augsynth.DataError, match="overlap='keep'"):
        augsynth.evaluate(gen, real, held, **settings)
    found = augsynth.evaluate(gen, real, held, overlap="keep", **settings)
    assert "copies" not in found.flags and any("equal by chance" in one for one in found.warnings)
    with pytest.raises(augsynth.ConfigError, match="'error', 'drop' or 'keep'"):
        augsynth.evaluate(gen, real, held, overlap="leave", **settings)
