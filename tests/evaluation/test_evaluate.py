"""The verdict on samples: known faults are named, real data is not accused, and figures agree with other code."""

import json
import random
import shutil
import subprocess

import numpy as np
import pytest
import torch

import augsynth
from augsynth.datasets.arrays import ArrayDataset
from augsynth.datasets.named import open_dataset
from augsynth.evaluation import fidelity, label_judge
from augsynth.evaluation.figures import auc, halves, spread, wilson
from augsynth.evaluation.inputs import prepare
from augsynth.modalities.text import runs
from augsynth.modalities.text.tiny import TinyTexts
from tests.support import quick_fit

OPTIONS = {"n": 400, "progress": False, "judge_steps": 500}


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """The user's cache stays as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def digits():
    """Training images, as many others, and a test set: digits of scikit-learn."""
    full = open_dataset("digits")
    order = torch.randperm(len(full), generator=torch.Generator().manual_seed(0))
    return full.subset(order[:500]), full.subset(order[500:1000]), open_dataset("digits", split="test")


def like(data, images, targets):
    return ArrayDataset(images, targets, data.classes)


def copies(train, other):
    return train


def collapsed(train, other):
    targets = torch.tensor(other.targets)
    first = [other.inputs[targets == c][0] for c in range(10)]
    return like(
        train, torch.stack([first[c] for c in range(10) for _ in range(60)]), [c for c in range(10) for _ in range(60)]
    )


def noise(train, other):
    generator = torch.Generator().manual_seed(0)
    top = float(train.inputs.max())
    return like(
        train, (torch.rand(train.inputs.shape, generator=generator) * top).to(train.inputs.dtype), train.targets
    )


def shuffled(train, other):
    order = torch.randperm(len(other), generator=torch.Generator().manual_seed(0))
    return like(train, other.inputs, torch.tensor(other.targets)[order].tolist())


def ideal(train, other):
    return other


KNOWN = {copies: {"copies"}, collapsed: {"collapsed"}, noise: {"unrealistic"}, shuffled: {"mislabelled"}, ideal: set()}


@pytest.mark.parametrize("source", KNOWN, ids=lambda source: source.__name__)
@pytest.mark.parametrize("seed", [0, 1])
def test_five_sources_are_named_for_what_they_are(digits, source, seed):
    train, other, test = digits
    found = augsynth.evaluate(source(train, other), train, test, seed=seed, **OPTIONS)
    assert found.flags == KNOWN[source], str(found)
    assert not found.failed
    assert (found.flags == set()) == found.sentence.startswith("Nothing is plainly wrong")
    for figure in found.figures.values():
        assert figure.interval[0] <= figure.value <= figure.interval[1] or "ratio" in figure.name, figure


def question(rng):
    start, subject, end = (
        rng.choice(("Where is", "Who found", "What is", "When was", "How far is", "Why is")),
        rng.choice(("the Nile", "the oldest river", "a large dog", "the first king", "the capital", "an old star")),
        rng.choice(("of Austria", "in the north", "of the sea", "near Vienna", "on the map", "in the world")),
    )
    return f"{start} {subject} {end} {rng.choice(('today', 'then', 'now', 'again', 'at last'))} ?"


@pytest.fixture(scope="module")
def questions():
    rng = random.Random(0)
    every = list(dict.fromkeys(question(rng) for _ in range(4000)))
    labelled = [(text, "place" if text.startswith(("Where", "How")) else "other") for text in every]
    return labelled[:250], labelled[250:500], labelled[500:800]


TEXT_SOURCES = {
    "copies": lambda train, other, rng: train,
    "collapsed": lambda train, other, rng: [next(row for row in other if row[1] == y) for _, y in train],
    "unrealistic": lambda train, other, rng: [
        (" ".join(rng.choice([w for t, _ in train for w in t.split()]) for _ in range(9)), y) for _, y in train
    ],
    "mislabelled": lambda train, other, rng: [(x, {"place": "other", "other": "place"}[y]) for x, y in other],
    "": lambda train, other, rng: other,
}


@pytest.mark.parametrize("flag", TEXT_SOURCES)
def test_texts_as_well(questions, flag):
    train, other, test = questions
    found = augsynth.evaluate(TEXT_SOURCES[flag](train, other, random.Random(0)), train, test, n=150, progress=False)
    assert found.flags == ({flag} if flag else set()), str(found)
    assert not found.failed
    names = {"self_bleu", "distinct_2", "perplexity[bigram of real]", "longest_shared_run", "near_copies"}
    assert names <= set(found.figures)


def test_a_generator_with_a_density_of_text():
    data = TinyTexts(96)
    gen = quick_fit("lstm", data, steps=40, batch_size=16)
    held = [(f"{x} yes", y) for x, y in (data[i] for i in range(96))]
    found = augsynth.evaluate(gen, data, held, n=40, progress=False, temperature=0.8)
    low, high = found["held_out_perplexity"].interval
    assert 1 < low < high
    assert 0 <= found["membership_auc[log_prob]"].value <= 1


@pytest.fixture(scope="module")
def vectors():
    generator = np.random.default_rng(0)
    return generator.normal(size=(120, 16)), generator.normal(0.3, 1.1, size=(120, 16))


def test_distances_agree_with_torch_fidelity(vectors):
    augsynth.import_torchvision()
    fid = pytest.importorskip("torch_fidelity.metric_fid")
    kid = pytest.importorskip("torch_fidelity.metric_kid")
    a, b = (torch.from_numpy(x) for x in vectors)
    theirs = fid.fid_statistics_to_metric(
        fid.fid_features_to_statistics(a), fid.fid_features_to_statistics(b), verbose=False
    )
    assert fidelity.frechet_distance(*vectors) == pytest.approx(theirs["frechet_inception_distance"], abs=1e-4)
    theirs = kid.kid_features_to_metric(a, b, kid_subsets=1, kid_subset_size=len(a), verbose=False, rng_seed=0)
    mean = theirs["kernel_inception_distance_mean"]
    assert fidelity.kernel_distance(*vectors) == pytest.approx(mean, abs=1e-4)


def test_manifold_figures_agree_with_prdc(vectors):
    prdc = pytest.importorskip("prdc")
    real, made = vectors
    apart = [fidelity.distances(a, b) for a, b in ((real, real), (real, made), (made, made))]
    ours, theirs = fidelity.manifold(*apart), prdc.compute_prdc(real, made, nearest_k=5)
    assert ours == pytest.approx({name: theirs[name] for name in ours}, abs=1e-4)


def test_intervals_hold_what_they_should():
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(100):
        values = generator.normal(size=80)
        low, high = spread(lambda part, v=values: float(v[part].mean()), halves(80, 100, 0), float(values.mean()))
        covered += low <= 0 <= high
    assert 85 <= covered <= 100
    assert wilson(0, 50)[0] == 0 and 0.05 < wilson(0, 50)[1] < 0.1 and wilson(5, 0) == (0.0, 1.0)
    assert auc(np.arange(5) + 10.0, np.arange(5.0))[0] == 1.0


def test_longest_runs_are_of_words_in_a_row():
    found = runs.longest_shared_runs(["A b c d", "x", "c d a b", ""], ["z a B c", "c d"])
    assert found.tolist() == [3, 0, 2, 0]
    assert runs.longest_shared_runs(["a b", "a b", "c"], [], own=True).tolist() == [2, 2, 0]


def test_a_judge_is_fitted_once(digits, monkeypatch):
    train, other, test = digits
    first = augsynth.evaluate(other, train, test, **OPTIONS)
    monkeypatch.setattr(label_judge, "train_classifier", None)  # would fail if asked
    assert augsynth.evaluate(other, train, test, **OPTIONS).to_json() == first.to_json()


def test_features_of_ones_own_and_without_labels(digits):
    train, other, test = digits

    def brightness(x):
        return x.flatten(1).sort(1).values[:, ::8]

    found = augsynth.evaluate(other, train, test, features=brightness, **OPTIONS)
    assert "frechet_distance[brightness]" in found.figures and not found.failed
    bare = [[one[0] for one in (part[i] for i in range(300))] for part in (other, train, test)]
    found = augsynth.evaluate(*bare, n=200, progress=False)
    assert "frechet_distance[pca]" in found.figures and found.labels is None and not found.flags


def test_one_range_holds_for_all_that_is_compared(digits):
    # of scores up to 16, a darker part has a range of its own: held out, or what a generator was fitted on
    train, other, _ = digits
    train, other = (like(d, (d.inputs.float() / 255 * 16).round(), d.targets) for d in (train, other))
    darker = like(other, other.inputs.clamp(max=12.0), other.targets)
    gen = quick_fit("vae", darker, steps=1)
    sets = prepare(gen, train, darker, n=200, seed=0, overlap="error", show=False, sampling={})
    for one in (sets.made, sets.held):
        assert float(one.x.max()) <= 12 / 8 - 1
    assert float(sets.held.x.max()) == 12 / 8 - 1 and float(sets.train.x.max()) == 1.0


def test_metrics_of_others_are_measured_as_well(digits):
    train, other, test = digits

    def brightness(made, real, held):
        value, floor = (float(one.x.mean()) for one in (made, held))
        return augsynth.Figure(
            "brightness", value, (value, value), floor, None, len(made), "near the floor", "mean pixel"
        )

    def broken(made, real, held):
        raise ValueError("no")

    found = augsynth.evaluate(other, train, test, metrics=[brightness, broken], **OPTIONS)
    assert found["brightness"].value == pytest.approx(found["brightness"].floor, abs=0.1)
    assert found.failed == {"metric broken": "ValueError: no"}
    with pytest.raises(augsynth.PluginNotFoundError):
        augsynth.evaluate(other, train, test, metrics=["nothing"], **OPTIONS)


def test_inception_is_named_fid(tmp_path, monkeypatch):
    """With weights that are random: the loading is the real one."""
    augsynth.import_torchvision()
    module = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    from augsynth.evaluation.feature_spaces import Space
    from augsynth.modalities.image.inception import Inception

    monkeypatch.setattr(module.FeatureExtractorInceptionV3, "load_state_dict", lambda self, state: None)
    monkeypatch.setattr(module, "load_state_dict_from_url", lambda *a, **k: {}, raising=False)
    torch.save({}, tmp_path / "weights.pth")
    space = Space("inception", Inception(tmp_path / "weights.pth"))
    rows = space(torch.zeros(2, 1, 16, 16))
    assert rows.shape == (2, 2048) and space.name == "inception"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"holdout": "train"}, "500 of 500 held-out samples are in the training data as well"),
        ({"holdout": "few"}, "expected at least 20"),
        ({"holdout": "class"}, "classes without a sample in the holdout: 9"),
        ({"n": 0}, "n=0: expected a whole number from 1 up"),
        ({"features": "vgg"}, "features='vgg': for image data there are 'auto'"),
        ({"features": lambda x: torch.full((len(x), 3), float("nan"))}, "NaN or infinite"),
        ({"overlap": "leave"}, "overlap='leave': expected 'error', 'drop' or 'keep'"),
        ({"gen": "few"}, "generated samples of class '0'"),
    ],
)
def test_bad_input_is_named(digits, change, message):
    train, other, test = digits
    targets = torch.tensor(test.targets)
    parts = {
        "train": train,
        "few": test.subset(torch.cat([(targets == c).nonzero().flatten()[:1] for c in range(10)])),
        "class": test.subset((targets != 9).nonzero().flatten()),
    }
    change = {key: parts.get(value, value) if isinstance(value, str) else value for key, value in change.items()}
    arguments = {"gen": other, "real": train, "holdout": test, **OPTIONS, **change}
    if "NaN" in message:
        found = augsynth.evaluate(**arguments)
        assert message in found.failed["fidelity"] and "near_copies" in found.figures, "the rest is measured"
        return
    with pytest.raises((augsynth.DataError, augsynth.ConfigError), match="(?s)" + message.replace("(", r"\(")):
        augsynth.evaluate(**arguments)


def test_overlap_can_be_dropped(digits):
    train, other, test = digits
    both = like(train, torch.cat([test.inputs, train.inputs[:7]]), [*test.targets, *train.targets[:7]])
    found = augsynth.evaluate(other, train, both, overlap="drop", **OPTIONS)
    assert any("7 of" in text and "left out" in text for text in found.warnings)


@pytest.mark.filterwarnings("ignore::augsynth.CollapseWarning")
def test_it_says_if_the_generator_was_fitted_on_something_else(digits, tmp_path):
    train, other, test = digits
    gen = augsynth.fit("vae", train, steps=20, width=8, progress=False, device="cpu")
    recording = augsynth.recorded(augsynth.record(gen, 300, tmp_path / "r", progress=False))
    private = augsynth.fit("merf", train, privacy=augsynth.Privacy(5.0, 1e-5), steps=20, progress=False, device="cpu")
    told = "The generator was fitted on other samples"

    def says(source, real):
        found = prepare(source, real, test, n=100, seed=0, overlap="drop", show=False, sampling={})
        return any(told in one for one in found.warnings)

    assert [says(gen, train), says(recording, train)] == [False, False]
    assert [says(gen, other), says(recording, other)] == [True, True]
    assert not says(private, other) and not says(other, train)  # it cannot be told


def test_a_folder_that_cannot_be_written_is_said_at_once(digits, tmp_path):
    train, other, test = digits
    (tmp_path / "file").write_text("")
    with pytest.raises(augsynth.ConfigError, match="cannot be written"):
        augsynth.evaluate(other, train, test, out=tmp_path / "file" / "out", **OPTIONS)


def test_the_report_is_one_file_for_any_screen(digits, tmp_path):
    train, other, test = digits
    found = augsynth.evaluate(copies(train, other), train, test, out=tmp_path, **OPTIONS)
    numbers = json.loads((tmp_path / "evaluation.json").read_text())
    assert numbers["flags"] == ["copies"] and numbers["figures"]["near_copies"]["value"] == found["near_copies"].value
    page = (tmp_path / "evaluation.html").read_text()
    assert found.sentence in page and "http://" not in page and "https://" not in page
    assert 'name="viewport"' in page
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("no Chromium on this machine")
    for width in (390, 1000):
        picture = tmp_path / f"{width}.png"
        options = ["--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},2500"]
        file = (tmp_path / "evaluation.html").as_uri()
        subprocess.run(
            [browser, *options, f"--screenshot={picture}", file], check=True, capture_output=True, timeout=120
        )
        assert picture.stat().st_size > 20_000, "the page is not blank"


def test_a_judge_of_ones_own_has_the_say(questions):
    real, _, holdout = questions

    class Said:
        name = "said"

        def fit(self, inputs, labels):
            self.labels = sorted(set(labels), reverse=True)
            self.known = dict(zip(inputs, labels, strict=True))
            return self

        def probabilities(self, inputs):
            rows = [self.known.get(x, self.labels[0]) for x in inputs]
            return [[float(label == row) for label in self.labels] for row in rows]

    made = [real[i] for i in range(len(real))]
    found = augsynth.evaluate(made, real, holdout, judge=Said(), progress=False)
    assert found.figures["label_agreement[said]"].value == 1.0
    judge = augsynth.Judge(real, judge=Said())
    first, label = real[0]
    assert int(judge.probabilities_of([first]).argmax()) == judge.spec.classes.index(label)
    for given in ("nothing", 3):
        with pytest.raises(augsynth.ConfigError, match=f"judge={given!r}"):
            augsynth.Judge(real, judge=given)


def test_embeddings_judge_texts(questions):
    real, _, holdout = questions
    found = augsynth.evaluate(
        [real[i] for i in range(len(real))], real, holdout, judge="embeddings", features="embeddings", progress=False
    )
    assert found.figures["label_agreement[logistic regression on embeddings]"].value > 0.9
    assert found.settings["features"] == "embeddings"
