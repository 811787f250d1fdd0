"""Rows with differential privacy: declared columns, their cells, and what is kept of the data."""

import json
import warnings
from datetime import date, datetime

import pytest
import torch
from augsynth_tabular.columns import Column
from augsynth_tabular.grid import Grid
from augsynth_tabular.rows import Rows
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import Subset

import augsynth
from augsynth import authoring
from augsynth.registry import default_registry

PRIVACY = augsynth.Privacy(epsilon=5.0, delta=1e-4)


@pytest.fixture(scope="module")
def declared():
    return default_registry().modality("tabular").tiny(1200, classes=2, form="declared")


@pytest.fixture(scope="module")
def gen(declared):
    return augsynth.fit("marginals", declared, steps=600, progress=False, device="cpu")


def test_pairs_of_values_are_as_frequent_as_in_the_data(declared, gen):
    made = gen.sample(1200, labels=[0, 1] * 600, seed=0)
    assert len(made.x[0]) == 5 and all(100 <= row["height"] <= 250 for row in made.x)
    for label in (0, 1):
        real = [row for row, y in zip(declared.rows, declared.targets, strict=True) if y == label]
        fake = [row for row, y in zip(made.x, made.y, strict=True) if y == label]
        for children in range(3):
            for city in ("Rome", "Oslo", "Lima"):
                shares = [
                    sum(row["children"] == children and row["city"] == city for row in rows) / len(rows)
                    for rows in (real, fake)
                ]
                assert abs(shares[0] - shares[1]) < 0.05, (label, children, city, shares)
    assert 0.12 < sum(row["income"] is None for row in made.x) / 1200 < 0.28, "a fifth of the real ones are missing"


def test_a_private_fit_states_what_it_read_and_stays_useful(declared, tmp_path):
    gen = augsynth.fit("marginals", declared, steps=400, privacy=PRIVACY, progress=False, device="cpu")
    stated = gen.fit_info["privacy"]
    assert stated["epsilon"] == 5.0 and "a pair of values of two columns" in str(stated["released_with_noise"])
    assert gen.fit_info["warnings"] == []
    heights = [[row["height"] for row in gen.sample(300, labels=c, seed=0).x] for c in (0, 1)]
    assert sum(heights[1]) / 300 - sum(heights[0]) / 300 > 10  # 20 in the data
    gen.save(tmp_path / "gen")
    again = augsynth.load(tmp_path / "gen")
    assert again.sample(5, seed=1).x == gen.sample(5, seed=1).x and again.fit_info["privacy"] == stated


def test_what_was_read_off_the_values_is_refused_and_named(declared):
    some = Rows(declared.rows, declared.targets, declared.columns[:3])
    with pytest.raises(augsynth.DataError, match=r"the columns since, income may hold was read off.*Column\.declared"):
        augsynth.fit("marginals", some, privacy=PRIVACY, progress=False)
    with pytest.raises(augsynth.ConfigError, match="tvae cannot be fitted with privacy"):
        augsynth.fit("tvae", declared, privacy=PRIVACY, progress=False)


def test_a_declaration_is_found_through_what_wraps_the_dataset(declared):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        augsynth.fit("marginals", Subset(declared, range(600)), privacy=PRIVACY, steps=2, progress=False)


@pytest.mark.parametrize(
    ("value", "column", "message"),
    [
        ("Bonn", Column.declared("c", values=["Rome", "Oslo"]), "row 1: 'Bonn' is none of the declared values"),
        (121, Column.declared("c", low=0, high=120), "row 1: 121 is outside of the declared bounds"),
        (3.5, Column.declared("c", low=0, high=120), "row 1: 3.5 is no whole number"),
        ("old", Column.declared("c", low=0, high=120), "row 1: 'old' is no integer"),
        (None, Column.declared("c", low=0.0, high=1.0), "row 1: a missing value, and none were declared"),
        ("2031-01-01", Column.declared("c", low="2000-01-01", high="2030-12-31"), "outside of the declared bounds"),
    ],
)
def test_values_against_the_declaration_are_named(value, column, message):
    fine = column.values[0] if column.kind == "category" else "2010-01-01" if column.kind == "date" else 1
    with pytest.raises(augsynth.DataError, match=message):
        augsynth.fit("marginals", Rows([{"c": fine}, {"c": value}], None, [column]), progress=False)


@pytest.mark.parametrize(
    "given",
    [{}, {"low": 1}, {"low": 1, "high": 1}, {"low": 2, "high": 1}, {"low": 0, "high": float("inf")},
     {"low": "2020-01-01", "high": 3}, {"values": ["one"]}, {"values": [1, 2]},
     {"values": ["a", "b"], "low": 0, "high": 1}],
)  # fmt: skip
def test_declarations_that_say_nothing_are_refused(given):
    with pytest.raises(augsynth.ConfigError, match="column 'c'"):
        Column.declared("c", **given)


def test_a_declared_column_that_there_is_not():
    with pytest.raises(augsynth.DataError, match="declared columns that there are not: b"):
        augsynth.fit("marginals", Rows([{"a": 1}], None, [Column.declared("b", low=0, high=1)]), progress=False)


def test_declarations_from_a_file_on_the_command_line(tmp_path):
    table, declared = tmp_path / "people.csv", tmp_path / "columns.json"
    table.write_text("age,city\n" + "30,Rome\n41,\n" * 20)
    declared.write_text(
        json.dumps([{"name": "age", "low": 0, "high": 120}, {"name": "city", "values": ["Rome", "Oslo"], "gaps": True}])
    )
    data = augsynth.open_dataset(str(table), rows=True, columns=str(declared))
    assert [one.name for one in data.columns] == ["age", "city"] and data[1] == {"age": 41, "city": None}
    declared.write_text('[{"name": "age", "low": 9, "high": 3}]')
    with pytest.raises(augsynth.ConfigError, match=r"columns\.json: no declared columns.*expected low below high"):
        augsynth.open_dataset(str(table), rows=True, columns=str(declared))


COLUMNS = (
    Column.declared("whole", low=-3, high=20),
    Column.declared("real", low=-1.0, high=2.5, gaps=True),
    Column.declared("name", values=["x", "y", "z"], gaps=True),
    Column.declared("day", low=date(2020, 1, 1), high=date(2020, 3, 1)),
    Column.declared("moment", low=datetime(2020, 1, 1), high=datetime(2020, 3, 1)),
)


@given(
    st.tuples(
        st.integers(-3, 20),
        st.none() | st.floats(-1.0, 2.5),
        st.none() | st.sampled_from(["x", "y", "z"]),
        st.dates(date(2020, 1, 1), date(2020, 3, 1)),
        st.datetimes(datetime(2020, 1, 1), datetime(2020, 3, 1)),
    ),
    st.integers(2, 100),
    st.floats(0, 1, exclude_max=True),
)
def test_a_value_comes_back_from_its_cell_to_within_the_cell(values, bins, place):
    grid = Grid(COLUMNS, bins)
    row = dict(zip([one.name for one in COLUMNS], values, strict=True))
    cells = grid.encoded([row])[0].tolist()
    back = grid.row(cells, [place] * 5)
    again = grid.encoded([back])[0].tolist()
    assert list(back) == list(row) and again[0] == cells[0] and again[2:4] == cells[2:4]
    assert back["name"] == row["name"] and (back["real"] is None) == (row["real"] is None)
    assert abs(back["whole"] - row["whole"]) < max(1, round(24 / bins))
    if row["real"] is not None:
        assert abs(back["real"] - row["real"]) <= 3.5 / bins + 1e-6
    assert abs((back["day"] - row["day"]).days) < max(1, round(61 / bins))
    assert abs((back["moment"] - row["moment"]).total_seconds()) <= 60 * 86400 / bins + 61


def test_too_many_values_are_refused_before_a_fit():
    rows = [{f"c{i}": "a" for i in range(15)}] * 3
    columns = [Column.declared(f"c{i}", values=[str(j) for j in range(150)] + ["a"]) for i in range(15)]
    with pytest.raises(augsynth.DataError, match="2265 values in 15 columns: at most 2000"):
        augsynth.fit("marginals", Rows(rows, None, columns), progress=False)


class Copier(augsynth.Generator):
    """Hands out the rows that it was fitted on."""

    modality = "tabular"

    def build(self, spec):
        self.register_buffer("anchor", torch.zeros(1))

    def learn(self, data):
        self.rows, self.y = list(data.raw), data.classes

    def draw(self, labels, seeds, *, temperature, truncation):
        own = [(self.y == c).nonzero()[:, 0].tolist() for c in range(2)]
        pairs = zip(labels.tolist(), seeds.tolist(), strict=True)
        return authoring.Items(self.rows[own[c][seed % len(own[c])]] for c, seed in pairs)


def test_an_audit_tells_of_single_values_and_a_private_fit_of_none(declared, tmp_path):
    some, others = Subset(declared, range(400)), Subset(declared, range(400, 800))
    found = augsynth.audit(augsynth.fit(Copier(), some, progress=False), some, others, progress=False)
    height = found.attributes["height"]
    assert height.right > 0.95 and height.leaks and "guesses" in found.sentence
    assert list(found.attributes) == ["height", "children", "city", "since", "income", "(label)"]
    assert json.loads(found.save(tmp_path).read_text())["attributes"]["height"]["more"] > 0.1
    assert "height " in str(found) and "of the members" in str(found)
    drawn = augsynth.Privacy(epsilon=5.0, delta=1e-4, noise_seed=0)  # of other noise, one in 40 might be called a leak
    private = augsynth.fit("marginals", some, privacy=drawn, steps=200, progress=False, device="cpu")
    told = augsynth.audit(private, some, others, progress=False)
    assert not any(one.leaks for one in told.attributes.values()) and "guesses" not in told.sentence


def test_values_that_only_held_out_rows_have_are_guessed_wrong(declared):
    rows = [{**row, "city": "Bonn"} for row in declared.rows[:40]]
    gen = augsynth.fit("marginals", declared, steps=2, progress=False, device="cpu")
    found = augsynth.audit(gen, Subset(declared, range(40)), Rows(rows, declared.targets[:40]), progress=False)
    assert found.attributes["city"].others == 0.0
