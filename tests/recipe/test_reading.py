"""What a recipe may say, and how it is told what is wrong with it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import augsynth
from augsynth.recipe.reading import read_recipe, recipe_of
from augsynth.recipe.writing import recipe_yaml

SHORT = "data:\n  train: digits\ngenerator:\n  name: vae\n"
RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))


def test_the_least_that_a_recipe_says():
    recipe = recipe_of(SHORT)
    assert recipe.data.train == "digits" and recipe.generator.name == "vae"
    assert recipe.blend.ratio == 0.3 and recipe.verdict.seeds == 5 and recipe.prepare is None


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_recipes_of_the_project_are_read(path):
    assert read_recipe(path).about


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "data:\n  train: digits\ngenerator:\n  nmae: vae\n",
            "r, line 4: generator has no key 'nmae'; did you mean 'name'",
        ),
        (SHORT + "blnd:\n  ratio: 1\n", "r, line 5: a recipe has no key 'blnd'; did you mean 'blend'. It has: data"),
        (SHORT + "blend:\n  ratio: 1.5\n", "r, line 6: blend.ratio: expected a share from 0 to 1, or .*, got 1.5"),
        (
            SHORT + "verdict:\n  seeds: many\n",
            "r, line 6: verdict.seeds: expected a whole number from 2 up, got 'many'",
        ),
        (SHORT + "verdict:\n  seeds: true\n", "expected a whole number from 2 up, got True"),
        ("generator:\n  name: vae\n", "a recipe needs 'data'"),
        ("data:\n  test: digits\ngenerator: {name: vae}\n", "r, line 1: data needs 'train'"),
        (SHORT + "blend: 0.3\n", r"r, line 5: blend: expected its keys \(ratio, .*\), got 0.3"),
        ("- 1\n", r"expected sections, such as data: and generator:; got \[1\]"),
        ("data: {train: digits\n", "r, line 2: .* is no YAML"),
        ("=", "r, line 1: '=' cannot be read"),
        (SHORT + "seed: 2001-13-45\n", "r, line 5: '2001-13-45' cannot be read"),
        ("[" * 5000, "r is no YAML"),
        (SHORT + "seed: 1\nseed: 2\n", "r, line 6: seed is there twice; the first is on line 5"),
        (SHORT + "seed: !!python/name:os.system\n", "aliases .* and tags .* are not read"),
        ("data: &a {train: digits}\ngenerator: *a\n", "aliases .* are not read"),
        (
            "data: {train: digits, test: digits, holdout: 0.3}\ngenerator: {name: vae}\n",
            "r, line 1: data.test and data.holdout are a test set and a share held out for one; give one",
        ),
        (
            "data:\n  train: digits\n  per_class: 5\n  long_tail: {most: 9, least: 3}\ngenerator: {name: vae}\n",
            "r, line 4: data.per_class and data.long_tail are two ways",
        ),
        (
            "data:\n  train: digits\n  long_tail: {most: 3, least: 9}\ngenerator: {name: vae}\n",
            "r, line 3: data.long_tail: expected whole numbers, 2 ≤ least < most",
        ),
        (SHORT + "blend: {mode: vary, strength: {cat: far}}\n", "one for each class, such as"),
        (SHORT + "blend: {variations: 2}\n", "r, line 5: blend.variations is of mode: vary, and the mode is replace"),
        (SHORT + "blend: {mode: vary, variations: 0}\n", "expected a whole number from 1 up, got 0"),
        (SHORT + "blend: {strength: 0.5}\n", "blend.strength is of mode: vary, and the mode is replace"),
        (SHORT + "verdict: {draws: each}\n", "draws: each needs data.per_class or data.long_tail"),
        (SHORT + "verdict: {evaluate: false, uplift: false}\n", "there is nothing to find out"),
        (SHORT + "filters: [{confidence: 1, density: 2}]\n", "expected names of plugins"),
    ],
)
def test_mistakes_are_told_with_their_line(text, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        recipe_of(text, "r")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(augsynth.ConfigError, match="cannot be read: No such file"):
        read_recipe(tmp_path / "no.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(augsynth.ConfigError, match="cannot be read"):
        read_recipe(tmp_path / "bytes.yaml")


@given(st.text(max_size=60))
def test_whatever_is_read_ends_in_a_recipe_or_one_clear_error(text):
    try:
        recipe_of(text)
    except augsynth.ConfigError as error:
        assert str(error)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_that_is_written_is_the_same(path):
    recipe = read_recipe(path)
    assert recipe_of(recipe_yaml(recipe)) == recipe


def test_values_beside_the_file():
    from augsynth.recipe.overrides import overridden

    assert overridden(SHORT, {}) == SHORT
    changed = recipe_of(overridden(SHORT, {"data.train": "photos/", "verdict.seeds": 3, "seed": 7}))
    assert (changed.data.train, changed.verdict.seeds, changed.seed) == ("photos/", 3, 7)
    with pytest.raises(augsynth.ConfigError, match=r"--set seed.x: seed is 1, and has no keys"):
        overridden(SHORT + "seed: 1\n", {"seed.x": 2})
