"""The whole road: run, stopped, resumed, changed."""

import json
import shutil

import pytest

import augsynth
from augsynth.recipe import run as running
from augsynth.recipe.reading import recipe_of
from augsynth.recipe.run import run_recipe

TEXT = """
data:
  train: digits
  long_tail: {most: 20, least: 4}
  sampling: balanced
prepare: {labels: skip, outliers: skip}
generator:
  name: vae
  steps: 20
  settings: {width: 8}
classic: [pillow]
blend: {ratio: 0.5, mode: vary}
verdict: {seeds: 2, draws: each, steps: 20, metric: balanced_accuracy, evaluate: false}
"""
pytestmark = pytest.mark.filterwarnings("ignore::augsynth.CollapseWarning")


def run(text, folder, **options):
    return run_recipe(recipe_of(text), folder, device="cpu", jobs=1, progress=False, **options)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return run(TEXT, folder), folder


@pytest.mark.filterwarnings("ignore::augsynth.CollapseWarning")
def test_what_it_leaves_behind(finished):
    outcome, folder = finished
    there = {one.name for one in folder.iterdir()}
    assert there >= {"recipe.yaml", "results.json", "index.html", "state.json", "generator-0", "generator-1", "uplift"}
    assert (folder / "prepare" / "findings.csv").is_file()
    numbers = json.loads((folder / "results.json").read_text())
    assert list(numbers["uplift"]["arms"]) == [
        "real", "real + classic", "real + variations", "real + classic + variations",
    ]  # fmt: skip
    assert numbers["rarest classes"]["real"]["gain"] is not None or numbers["uplift"]["baseline"] == "real"
    assert sorted(numbers["training samples of each class"].values(), reverse=True)[:2] == [20, 17]
    assert outcome.uplift.sentence in (folder / "index.html").read_text().replace("&#34;", '"')
    assert augsynth.load(folder / "generator-1").sample(2, seed=0).x.shape == (2, 1, 8, 8)
    # what was written is a recipe of the same run
    again = augsynth.run_recipe(folder / "recipe.yaml", folder, device="cpu", jobs=1, progress=False)
    assert again.skipped == ["prepare", "generator-0", "generator-1", "uplift"]
    assert again.seconds == outcome.seconds  # as long as it took, not as long as it took to see that it is done


def test_a_recipe_that_is_not_there(tmp_path):
    with pytest.raises(augsynth.ConfigError, match="none.yaml cannot be read: No such file"):
        augsynth.run_recipe(tmp_path / "none.yaml", tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_it_says_which_stage_it_is_in(finished, tmp_path, capsys):
    folder = shutil.copytree(finished[1], tmp_path / "run")
    changed = TEXT.replace("draws: each, steps: 20", "draws: each, steps: 10")
    run_recipe(recipe_of(changed), folder, device="cpu", jobs=1, redo=True, progress=True)
    told = [line for line in capsys.readouterr().err.splitlines() if "stages" in line]
    assert told == ["uplift (4 of 4 stages)"]  # what is done already is not told


def test_another_person_gets_the_same_figures(finished, tmp_path):
    _, folder = finished
    again = run((folder / "recipe.yaml").read_text(), tmp_path)
    assert again.uplift.arms == finished[0].uplift.arms and not again.skipped


@pytest.mark.parametrize("stage", ["_prepare", "_fit", "_uplift"])
def test_a_kill_in_any_stage_changes_nothing(finished, tmp_path, monkeypatch, stage):
    work = getattr(running.Run, stage)

    def killed(self, *given):
        work(self, *given)  # as late as can be: all is done, and none of it noted
        raise KeyboardInterrupt

    monkeypatch.setattr(running.Run, stage, killed)
    with pytest.raises(KeyboardInterrupt):
        run(TEXT, tmp_path)
    monkeypatch.undo()
    again = run(TEXT, tmp_path)
    assert again.uplift.arms == finished[0].uplift.arms and again.rarest == finished[0].rarest


def test_a_kill_within_a_fit_is_gone_on_with(finished, tmp_path, monkeypatch):
    real = running.fit

    def interrupted(*given, **options):
        return real(*given, **{**options, "steps": 10})

    # what a fit leaves that was stopped half-way: a checkpoint with its training state
    monkeypatch.setattr(
        running, "fit", lambda *g, **o: (interrupted(*g, **o), (_ for _ in ()).throw(KeyboardInterrupt))
    )
    with pytest.raises(KeyboardInterrupt):
        run(TEXT, tmp_path)
    monkeypatch.undo()
    assert (tmp_path / "generator-0" / "training").is_dir()
    again = run(TEXT, tmp_path)
    assert again.generator.fit_info["steps"] == 20


def test_changed_settings_are_named_and_redone_on_request(tmp_path):
    run(TEXT, tmp_path)
    changed = TEXT.replace("steps: 20\n  settings", "steps: 10\n  settings")
    with pytest.raises(
        augsynth.ConfigError, match=r"generator.steps: 20 there, 10 here.*--redo to do generator-0, gen"
    ):
        run(changed, tmp_path)
    outcome = run(changed, tmp_path, redo=True)
    assert outcome.skipped == ["prepare"] and outcome.generator.fit_info["steps"] == 10
    # what nothing stands on may be added
    judged = run(changed.replace("evaluate: false", "evaluate: true"), tmp_path)
    assert judged.skipped == ["prepare", "generator-0", "generator-1", "uplift"] and judged.evaluation["sentence"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (("name: vae", "name: gan"), augsynth.CapabilityError, "mode: vary, and generator 'gan' cannot vary"),
        (("name: vae", "name: vea"), augsynth.PluginNotFoundError, "did you mean 'vae'"),
        (("width: 8", "widht: 8"), augsynth.ConfigError, "VAE has no setting 'widht'"),
        (("[pillow]", "[pilow]"), augsynth.PluginNotFoundError, "did you mean 'pillow'"),
        (("most: 20", "most: 2000"), augsynth.ConfigError, "too few samples of .*; lower most"),
        (("train: digits", "train: nothing.csv"), augsynth.ConfigError, "no such file"),
    ],
)
def test_what_cannot_be_run_is_told_before_anything_is_fitted(tmp_path, change, error, message):
    with pytest.raises(error, match=message):
        run(TEXT.replace(*change), tmp_path / "out")
    assert not (tmp_path / "out" / "generator-0").exists()


def test_a_folder_of_something_else(tmp_path):
    (tmp_path / "state.json").write_text("[]")
    with pytest.raises(augsynth.ConfigError, match="is no state of a run"):
        run(TEXT, tmp_path)


def test_a_change_in_what_leaves_nothing_behind_is_seen_too(tmp_path):
    run(TEXT, tmp_path)
    with pytest.raises(
        augsynth.ConfigError, match=r"classic: \[\['pillow', {}\]\] there, 'none' here.*--redo to do uplift"
    ):
        run(TEXT.replace("classic: [pillow]\n", ""), tmp_path)
    outcome = run(TEXT.replace("classic: [pillow]\n", ""), tmp_path, redo=True)
    assert outcome.skipped == ["prepare", "generator-0", "generator-1"] and len(outcome.uplift.arms) == 2


PRIVATE = """
data: {train: digits, per_class: 20}
generator:
  name: merf
  steps: 20
  batch_size: 30
  privacy: {epsilon: 2, delta: 1.0e-5, max_contributions: 2}
verdict: {evaluate: false, seeds: 2, steps: 5}
"""


def test_a_budget_and_other_arguments_of_the_fit(tmp_path):
    run(PRIVATE, tmp_path / "private")
    stated = augsynth.load(tmp_path / "private" / "generator-0").fit_info["privacy"]
    assert "(2, 1e-05)-differentially private for one person" in (tmp_path / "private" / "index.html").read_text()
    assert (stated["epsilon"], stated["max_contributions"]) == (2, 2)
    further = f"  batch_size: 12\n  micro_batch_size: 5\n  cache_dir: {tmp_path / 'cache'}\n"
    run(TEXT.replace("  steps: 20\n", f"  steps: 20\n{further}", 1), tmp_path / "parts")
    assert (tmp_path / "cache").is_dir() and augsynth.load(tmp_path / "parts" / "generator-0").fit_info["steps"] == 20


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("epsilon: 2, ", ""), "generator.privacy: expected epsilon and delta"),
        (("max_contributions", "contributions"), "expected keys out of epsilon, delta, .*, not contributions"),
        (("epsilon: 2", "epsilon: 200"), "expected a budget; epsilon=200: expected at most 10"),
        (("verdict:", "prepare: {outliers: drop}\nverdict:"), "generator.privacy beside prepare: .* no budget covers"),
    ],
)
def test_budgets_that_guarantee_nothing(tmp_path, change, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        run(PRIVATE.replace(*change), tmp_path)
