"""fit(privacy=): what is refused, what is noise, what is said, and what is left of the data."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import TensorDataset

import augsynth
from augsynth import Privacy
from augsynth.fitting.private import FINGERPRINT, NoData
from augsynth.privacy.gaussian import Mechanism, noise_multiplier, spent_delta
from tests.mutants.generators import Private

FAST = {"steps": 20, "features": 64, "width": 32, "progress": False}


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(0)
    return TensorDataset(torch.rand(60, 1, 8, 8, generator=generator), torch.arange(60) % 3)


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        ({"epsilon": 0.0, "delta": 1e-5}, "above 0"),
        ({"epsilon": -1, "delta": 1e-5}, "above 0"),
        ({"epsilon": 50.0, "delta": 1e-5}, "the guarantee is empty"),
        ({"epsilon": 1e4, "delta": 1e-5}, "the guarantee is empty"),
        ({"epsilon": math.nan, "delta": 1e-5}, "expected a number"),
        ({"epsilon": True, "delta": 1e-5}, "expected a number"),
        ({"epsilon": "1", "delta": 1e-5}, "expected a number"),
        ({"epsilon": 1.0, "delta": 0.0}, "expected a probability"),
        ({"epsilon": 1.0, "delta": 1.5}, "expected a probability"),
        ({"epsilon": 1.0, "delta": 1e-5, "noise_seed": "x"}, "expected a whole number"),
        ({"epsilon": 1.0, "delta": 1e-5, "max_contributions": 0}, "expected a whole number from 1 up"),
    ],
)
def test_budgets_that_guarantee_nothing(budget, told):
    with pytest.raises(augsynth.ConfigError, match=told):
        Privacy(**budget)


def test_delta_of_one_sample_in_n_is_refused(data):
    with pytest.raises(augsynth.ConfigError, match=r"less than 1 / n = 0.017.*publishing a random sample"):
        augsynth.fit("merf", data, privacy=Privacy(1.0, 1 / 60), **FAST)


@given(st.floats(0.01, 10.0), st.floats(1e-10, 1e-2))
def test_the_noise_is_the_least_that_keeps_the_budget(epsilon, delta):
    multiplier = noise_multiplier(epsilon, delta)
    assert spent_delta(multiplier, epsilon) <= delta < spent_delta(multiplier * 0.999, epsilon)


@pytest.mark.parametrize(("multiplier", "epsilon"), [(3.73, 1.0), (0.5, 10.0), (2.0, 0.5), (30.0, 0.1)])
def test_the_spent_delta_is_the_divergence_of_the_two_densities(multiplier, epsilon):
    x = np.linspace(-12 * multiplier, 12 * multiplier + 1, 2_000_001)
    near, far = (np.exp(-0.5 * ((x - shift) / multiplier) ** 2) for shift in (1.0, 0.0))
    norm = multiplier * math.sqrt(2 * math.pi)
    by_integral = np.trapezoid(np.maximum(0.0, near - math.exp(epsilon) * far) / norm, x)
    assert spent_delta(multiplier, epsilon) == pytest.approx(by_integral, rel=1e-4, abs=1e-12)


def test_noise_has_the_size_that_was_computed_and_no_seed():
    parts, sensitivity = {"a": torch.zeros(20_000), "b": torch.zeros(20_000)}, {"a": 1.0, "b": 3.0}
    mechanism = Mechanism(Privacy(1.0, 1e-5), None, 0)
    made = mechanism.release(parts, sensitivity)
    scale = noise_multiplier(1.0, 1e-5) * math.sqrt(2)  # two parts in one budget
    assert float(made["a"].std()) == pytest.approx(scale, rel=0.03)
    assert float(made["b"].std()) == pytest.approx(3 * scale, rel=0.03)
    torch.manual_seed(0)
    np.random.seed(0)
    again = Mechanism(Privacy(1.0, 1e-5), None, 0).release(parts, sensitivity)
    assert not torch.equal(made["a"], again["a"]), "noise that can be repeated can be taken off"
    with pytest.raises(augsynth.BrokenPluginError, match="budget is spent"):
        mechanism.release(parts, sensitivity)


def test_a_mechanism_wants_sensitivities_and_finite_numbers():
    for parts, sensitivity in (({"a": torch.ones(2)}, {}), ({"a": torch.ones(2)}, {"a": 0.0}), ({}, {})):
        with pytest.raises(augsynth.BrokenPluginError, match="positive sensitivity"):
            Mechanism(Privacy(1.0, 1e-5), None, 0).release(parts, sensitivity)
    with pytest.raises(augsynth.BrokenPluginError, match="NaN"):
        Mechanism(None, None, 0).release({"a": torch.tensor([math.nan])}, {"a": 1.0})


def test_a_private_fit_says_what_it_guarantees(data, tmp_path):
    gen = augsynth.fit("merf", data, privacy=Privacy(2.0, 1e-4), checkpoint_dir=tmp_path / "gen", **FAST)
    stated = gen.fit_info["privacy"]
    assert (stated["epsilon"], stated["delta"], stated["void"]) == (2.0, 1e-4, None)
    assert stated["noise_multiplier"] == pytest.approx(noise_multiplier(2.0, 1e-4), abs=1e-5)
    assert "number of samples of each class" in stated["released_with_noise"]
    assert gen.fit_info["data_fingerprint"] == FINGERPRINT and "diversity" not in gen.fit_info
    assert gen.spec.labels.counts != (20, 20, 20), "the counts are told with noise"
    assert augsynth.load(tmp_path / "gen").fit_info["privacy"] == stated
    card = (tmp_path / "gen" / "README.md").read_text()
    assert "(2, 0.0001)-differentially private" in card and "people with more samples than the unit" in card
    plain = augsynth.fit("merf", data, **FAST)
    assert plain.spec.labels.counts == (20, 20, 20) and "privacy" not in plain.fit_info
    plain.save(tmp_path / "plain")
    assert "None is guaranteed" in (tmp_path / "plain" / "README.md").read_text()


def test_noise_from_a_seed_is_said_to_void_it(data):
    first, again = (augsynth.fit("merf", data, privacy=Privacy(2.0, 1e-4, noise_seed=1), **FAST) for _ in range(2))
    assert torch.equal(first.sample(4, seed=0).x, again.sample(4, seed=0).x)
    assert "drawn from a seed" in first.fit_info["privacy"]["void"]
    one, other = (augsynth.fit("merf", data, privacy=Privacy(2.0, 1e-4), **FAST) for _ in range(2))
    assert not torch.equal(one.sample(4, seed=0).x, other.sample(4, seed=0).x)


def test_the_steps_see_no_sample(data, monkeypatch):
    seen = []
    from augsynth_merf.model import MERF

    step = MERF.training_step
    monkeypatch.setattr(MERF, "training_step", lambda self, batch: (seen.append(batch), step(self, batch))[1])
    augsynth.fit("merf", data, privacy=Privacy(2.0, 1e-4), **FAST)
    assert len(seen) == FAST["steps"] and all(batch.x is None and batch.y is None for batch in seen)
    assert len(NoData(None, [], None, "")) == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"generator": "autoencoder"}, "cannot be fitted with privacy.*These can: .*merf"),
        ({"generator": "gan"}, "reads the samples as they are"),
        ({"privacy": 1.0}, r"expected augsynth.Privacy\(epsilon=..., delta=...\)"),
        ({"validation": 0.2}, "validation: reads the data outside"),
    ],
)
def test_what_reads_the_data_elsewhere_is_refused(data, arguments, told):
    given = {"generator": "merf", "privacy": Privacy(1.0, 1e-4), "progress": False, **arguments}
    with pytest.raises(augsynth.ConfigError, match=told):
        augsynth.fit(given.pop("generator"), data, **given)


def test_a_range_read_off_the_samples_is_refused():
    odd = TensorDataset(torch.rand(60, 1, 8, 8) * 3.7 - 1.5, torch.arange(60) % 3)
    with pytest.raises(augsynth.DataError, match=r"was read off the images \(bring it to \[0, 1\]\).*no budget covers"):
        augsynth.fit("merf", odd, privacy=Privacy(1.0, 1e-4), **FAST)


def test_a_person_with_several_samples_is_told(data):
    x, y = data.tensors
    doubled = TensorDataset(torch.cat([x, x[:1], x[:1]]), torch.cat([y, y[:1], y[:1]]))
    with pytest.warns(augsynth.PrivacyWarning, match="a sample occurs 3 times in the data.*for 1 each, does not hold"):
        augsynth.fit("merf", doubled, privacy=Privacy(1.0, 1e-4), **FAST)
    gen = augsynth.fit("merf", doubled, privacy=Privacy(1.0, 1e-4, max_contributions=3), **FAST)
    assert gen.fit_info["privacy"]["unit"] == "one person with up to 3 samples"


def test_the_noise_grows_with_the_samples_of_one_person():
    spread = [
        float(Mechanism(Privacy(1.0, 1e-5, k), None, 0).release({"a": torch.zeros(20_000)}, {"a": 1.0})["a"].std())
        for k in (1, 4)
    ]
    assert spread[1] / spread[0] == pytest.approx(4.0, rel=0.05)


class TakesSettings(Private):
    @classmethod
    def settings_from(cls, data, config):
        return {}


class Finishes(Private):
    def finish(self, data):
        pass


@pytest.mark.parametrize(("cls", "what"), [(TakesSettings, "settings_from"), (Finishes, "finish")])
def test_hooks_that_get_the_samples_are_refused(data, cls, what):
    with pytest.raises(augsynth.ConfigError, match=rf"reads the samples in {what}\(\) as well"):
        augsynth.fit(cls, data, privacy=Privacy(1.0, 1e-4), progress=False)


def test_resumed_it_reads_nothing_again(data, tmp_path, monkeypatch):
    budget = Privacy(2.0, 1e-4)
    augsynth.fit("merf", data, privacy=budget, checkpoint_dir=tmp_path / "gen", **FAST)
    longer = {**FAST, "steps": 40}
    with monkeypatch.context() as patched:
        patched.setattr("augsynth.fitting.private.Mechanism", None)
        gen = augsynth.fit("merf", data, privacy=budget, checkpoint_dir=tmp_path / "gen", resume=True, **longer)
    assert gen.fit_info["steps"] == 40 and gen.fit_info["privacy"]["epsilon"] == 2.0
    with pytest.raises(augsynth.CheckpointError, match="another budget"):
        augsynth.fit("merf", data, privacy=Privacy(1.0, 1e-4), checkpoint_dir=tmp_path / "gen", resume=True, **longer)
    with pytest.raises(augsynth.CheckpointError, match="fingerprint private"):
        augsynth.fit("merf", data, checkpoint_dir=tmp_path / "gen", resume=True, **longer)


def test_nothing_in_the_checkpoint_is_of_the_data(data, tmp_path):
    augsynth.fit("merf", data, privacy=Privacy(2.0, 1e-4), checkpoint_dir=tmp_path / "gen", **FAST)
    description = json.loads((tmp_path / "gen" / "generator.json").read_text())
    assert description["fit"]["data_fingerprint"] == FINGERPRINT
    assert {path.name for path in (tmp_path / "gen").iterdir()} <= {
        "README.md",
        "generator.json",
        "model.safetensors",
        "preview.png",
        "training",
    }
