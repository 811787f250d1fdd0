"""The search for a blend: "don't" for noise, a ratio where there is a gain, resumed, and never on what was seen."""

import json

import pytest
import torch
from torch.utils.data import Subset

import augsynth
from augsynth import authoring
from augsynth.modalities.image.tiny import TinyImages
from tests.support import quick_fit

REAL, OTHER = TinyImages(24, form="tensor-float"), TinyImages(60, form="tensor-float", seed=1)
QUICK = {"steps": 30, "seeds": 2, "confirm": 3, "progress": False, "filters": False}


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


class Noise(augsynth.Generator):
    """Labels that mean nothing."""

    def build(self, spec):
        self.register_buffer("nothing", torch.zeros(1))

    def learn(self, data):
        pass

    def draw(self, labels, seeds, *, temperature, truncation):
        return authoring.uniform(seeds, self.spec.shape) * 2 - 1


class Oracle(Noise):
    """What the data was made from."""

    def draw(self, labels, seeds, *, temperature, truncation):
        x = authoring.uniform(seeds, self.spec.shape) * 0.6 - 1
        for i, c in enumerate(labels.tolist()):
            x[i, :, :, 2 * c : 2 * c + 2] += 1.2
        return x


def hard(data, n):
    """The data with so much noise that a few samples do not show what the classes are."""
    generator = torch.Generator().manual_seed(0)
    return [
        ((x + 1.2 * torch.rand(x.shape, generator=generator)).clamp(0, 1), y) for x, y in (data[i] for i in range(n))
    ]


def test_noise_is_turned_down():
    found = augsynth.tune(Noise, REAL, validation=OTHER, trials=4, **QUICK)
    assert found.verdict == "don't" and found.ratio == 0 and found.sentence.startswith("Don't")
    assert found.trials[0]["ratio"] == 0 and len(found.trials) == 4
    blended = found.blend(REAL, seed=0)
    assert len(blended) == len(REAL) and torch.equal(blended[3][0], REAL[3][0])


def test_a_gain_is_found():
    few = hard(REAL, 6)
    found = augsynth.tune(Oracle, few, validation=OTHER, trials=5, **{**QUICK, "steps": 60, "confirm": 5})
    assert found.verdict == "use" and found.ratio > 0, found.sentence
    assert found.comparison.interval[0] > 0
    assert "confidence interval" in found.sentence and "test data" in found.sentence
    blended = found.blend(few, seed=0)
    assert blended.source is found.generator


@pytest.mark.filterwarnings("ignore::augsynth.errors.CollapseWarning")
def test_a_ratio_for_each_class_and_the_generators_own_settings():
    options = {**QUICK, "fit_options": {"steps": 20}, "per_class": True, "filters": True}
    found = augsynth.tune("vae", REAL, trials=3, **options)
    row = found.trials[1]
    assert set(row["ratio"]) == {"0", "1", "2"} and set(row["generator"]) == {"latent_dim", "lr", "free_bits"}
    assert "threshold" in row and json.dumps(found.to_json())


def test_it_goes_on_where_it_was(tmp_path):
    study, asked = tmp_path / "study.log", []

    class Counted(Noise):
        def learn(self, data):
            asked.append(len(data))

    first = augsynth.tune(Counted, REAL, validation=OTHER, trials=3, study=study, **QUICK)
    again = augsynth.tune(Counted, REAL, validation=OTHER, trials=5, study=study, **QUICK)
    assert again.trials[:3] == first.trials and len(again.trials) == 5
    with pytest.raises(augsynth.ConfigError, match=r"other settings \(they differ in: steps\)"):
        augsynth.tune(Counted, REAL, validation=OTHER, trials=5, study=study, **{**QUICK, "steps": 31})
    for changed, told in (
        ({"validation": REAL}, "validation"),
        ({"transform": lambda x: x}, "transform"),
        ({"fit_options": {"steps": 3}}, "fit_options"),
    ):
        with pytest.raises(augsynth.ConfigError, match=rf"other settings \(they differ in: {told}\)"):
            augsynth.tune(Counted, REAL, **{"validation": OTHER, "trials": 5, "study": study, **QUICK, **changed})
    assert first.save(tmp_path).name == "tuning.json"


def test_a_schedule_is_of_the_epochs_that_a_training_has():
    found = augsynth.tune(Noise, REAL, validation=OTHER, trials=2, **QUICK)
    assert {"constant", "rising", "falling"} >= {row["schedule"] for row in found.trials[1:]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trials": 0}, "trials=0"),
        ({"confirm": 2}, "confirm=2: expected a whole number from 3 up"),
        ({"generator": 3}, "generator=3"),
        ({"validation": 1.5}, "validation=1.5"),
        ({"metric": "auc"}, "metric='auc'"),
        ({"real": Subset(REAL, [0, 1, 2, 3, 4])}, "a class of one sample"),
    ],
)
def test_bad_input_is_named(change, message):
    arguments = {"generator": Noise, "real": REAL, **QUICK, **change}
    with pytest.raises((augsynth.ConfigError, augsynth.DataError), match=message):
        augsynth.tune(**arguments)


def test_a_fitted_generator_has_seen_what_would_be_held_out():
    with pytest.raises(augsynth.ConfigError, match="may have seen"):
        augsynth.tune(quick_fit("vae", REAL, steps=5), REAL, **QUICK)
