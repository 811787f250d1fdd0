"""The fitting loop: reproducible, resumable, interruptible, and honest about failure."""

import json
import os
import signal
import subprocess
import sys
import warnings

import pytest
import torch
from torch import nn

import augsynth
from augsynth import authoring
from augsynth.modalities.image.tiny import TinyImages
from tests.fitting_ranks import Linear
from tests.support import quick_fit


class Mean(augsynth.Generator):
    """The smallest generator: a learnt image, with noise."""

    def build(self, spec, *, lr: float = 0.05, poison_at: int = -1, spread: float = 0.1):
        self.image = nn.Parameter(torch.zeros(spec.shape))
        self.poison_at, self.spread = poison_at, spread

    def training_step(self, batch):
        loss = (self.image - batch.x).square().mean()
        if self.poison_at >= 0 and batch.step == self.poison_at:
            loss = loss * float("nan")
        return {"loss": loss}

    def draw(self, labels, seeds, *, temperature, truncation):
        return (self.image + self.spread * temperature * authoring.noise(seeds, self.image.shape)).clamp(-1, 1)


@pytest.mark.filterwarnings("ignore::augsynth.errors.CollapseWarning")
@pytest.mark.parametrize("name", ["vae", "gan", "autoencoder", "flow", "vaegan", "vqvae"])
def test_resuming_gives_the_uninterrupted_result(name, tmp_path):
    options = {"steps": 60, "batch_size": 8, "width": 16, "seed": 4}
    whole = quick_fit(name, TinyImages(), **options)

    def stop_at_40(step, losses):
        if step == 40:
            raise KeyboardInterrupt

    with pytest.warns(augsynth.FitWarning, match="interrupted after 40 steps"):
        part = augsynth.fit(name, TinyImages(), checkpoint_dir=tmp_path / "c", callback=stop_at_40, progress=False,
                            device="cpu", **options)  # fmt: skip
    assert part.fit_info["ended"] == "interrupted" and part.fit_info["steps"] == 40
    usable = augsynth.load(tmp_path / "c")
    assert torch.equal(usable.sample(4, seed=0).model_x, part.sample(4, seed=0).model_x)
    rest = quick_fit(name, TinyImages(), checkpoint_dir=tmp_path / "c", resume=True, **options)
    assert rest.fit_info["steps"] == 60
    assert torch.equal(whole.sample(8, seed=0).model_x, rest.sample(8, seed=0).model_x)
    assert whole.fit_info["history"] == rest.fit_info["history"]


def test_ctrl_c_leaves_a_usable_checkpoint(tmp_path):
    script = f"""
import os, signal, augsynth
from augsynth.modalities.image.tiny import TinyImages
kill = lambda step, losses: os.kill(os.getpid(), signal.SIGINT) if step == 20 else None
gen = augsynth.fit("vae", TinyImages(), steps=4000, width=8, checkpoint_dir={str(tmp_path / "c")!r}, callback=kill)
print(gen.fit_info["steps"])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert 20 <= int(done.stdout) <= 21
    assert augsynth.load(tmp_path / "c").sample(2, seed=0).x.shape == (2, 1, 8, 8)


def test_resuming_on_other_data_or_without_a_state_is_refused(tmp_path):
    quick_fit("vae", TinyImages(), steps=10, width=8, checkpoint_dir=tmp_path / "c")
    with pytest.raises(augsynth.CheckpointError, match="other data"):
        quick_fit("vae", TinyImages(seed=1), steps=20, width=8, checkpoint_dir=tmp_path / "c", resume=True)
    with pytest.raises(augsynth.CheckpointError, match="no training state"):
        quick_fit("vae", TinyImages(), steps=10, width=8).save(tmp_path / "d")
        quick_fit("vae", TinyImages(), steps=20, width=8, checkpoint_dir=tmp_path / "d", resume=True)
    with pytest.raises(augsynth.ConfigError, match="checkpoint_dir"):
        quick_fit("vae", TinyImages(), resume=True)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"width": 16}, "width=16, there 8"),
        ({"lr": 0.1, "seed": 3}, "lr=0.1, there 0.001, seed=3, there 0"),
        ({"batch_size": 8}, "batch_size=8, there 32"),
        ({"name": "autoencoder"}, "generator='augsynth/autoencoder', there 'augsynth/vae'"),
    ],
)
def test_resuming_with_other_settings_is_refused(tmp_path, changed, told):
    given = {"name": "vae", "steps": 10, "width": 8, "batch_size": 32, "checkpoint_dir": tmp_path / "c"}
    quick_fit(data=TinyImages(), **given)
    with pytest.raises(augsynth.CheckpointError, match=f"was fitted with other settings: {told}; resume with its own"):
        quick_fit(data=TinyImages(), resume=True, **{**given, **changed})
    assert quick_fit(data=TinyImages(), resume=True, **{**given, "steps": 20}).fit_info["steps"] == 20


def test_a_device_is_a_name_or_an_object(tmp_path):
    data, held = TinyImages(40), TinyImages(40, seed=1)
    made = [quick_fit("vae", data, steps=2, width=8, device=one) for one in ("cpu", "cpu:0", torch.device("cpu"))]
    assert len({gen.checkpoint_id for gen in made}) == 1
    device = torch.device("cpu")
    assert augsynth.load(made[0].save(tmp_path / "c"), device=device).device == device
    assert len(augsynth.Judge(data, steps=2, device=device).real_features) == 40
    found = augsynth.uplift(data, held, made[0], seeds=2, steps=2, device=device, jobs=1, progress=False)
    assert found.settings["device"] == "cpu"
    for wrong in ("gpu:x", "cupboard", None):
        for use in (lambda one: quick_fit("vae", data, device=one), lambda one: augsynth.Judge(data, device=one)):
            with pytest.raises(augsynth.ConfigError, match=f"device={wrong!r}: expected 'auto', 'cpu'"):
                use(wrong)


@pytest.mark.parametrize("given", [{"checkpoint_every": 0}, {"patience": -1}, {"checkpoint_every": "often"}])
def test_numbers_of_a_fit_are_whole(given):
    with pytest.raises(augsynth.ConfigError, match=f"{next(iter(given))}={next(iter(given.values()))!r}: expected"):
        quick_fit("vae", TinyImages(), **given)


def test_nan_rolls_back_and_goes_on():
    gen = quick_fit(Mean, TinyImages(), steps=300, poison_at=150, batch_size=8)
    # the poisoned step comes again after each rollback, so that the fit ends with the weights before it
    assert gen.fit_info["ended"] == "diverged" and gen.fit_info["rollbacks"] == 4
    assert torch.isfinite(gen.image).all() and 100 <= gen.fit_info["steps"] < 150
    with pytest.warns(augsynth.FitWarning, match="NaN or infinite"):
        augsynth.fit(Mean, TinyImages(), steps=100, poison_at=50, progress=False, device="cpu")


def test_nan_from_the_start_is_an_error():
    with pytest.raises(augsynth.FitError, match="from the start.*lr="):
        quick_fit(Mean, TinyImages(), steps=100, poison_at=0)


def test_collapse_is_warned_of_by_class():
    with pytest.warns(augsynth.CollapseWarning, match="0, 1, 2 are nearly identical"):
        gen = augsynth.fit(Mean, TinyImages(), steps=20, spread=0.001, progress=False, device="cpu")
    assert gen.fit_info["warnings"] and max(gen.fit_info["diversity"].values()) < 0.1
    with warnings.catch_warnings():
        warnings.simplefilter("error", augsynth.CollapseWarning)
        augsynth.fit(Mean, TinyImages(), steps=20, spread=0.5, progress=False, device="cpu")


def test_the_best_weights_are_kept(digits):
    gen = quick_fit("vae", digits, steps=200, width=16, validation=0.2, patience=None)
    history = [row for row in gen.fit_info["history"] if "validation" in row]
    best = min(history, key=lambda row: row["validation"])
    assert gen.fit_info["best_step"] == best["step"] and gen.fit_info["best_loss"] == best["validation"]


def test_max_time_ends_the_fit(digits):
    gen = quick_fit("vae", digits, steps=None, max_time="1s", width=16)
    assert 0.9 < gen.fit_info["seconds"] < 20 and gen.fit_info["steps"] > 0


def test_a_generator_that_learns_without_steps():
    gen = quick_fit("augsynth-template/gaussian", TinyImages(60))
    assert gen.fit_info["steps"] == 0
    made = gen.sample(50, labels=1, seed=0).model_x.mean((0, 1, 2))
    assert made.argmax() in (2, 3), "the bar stands where class 1 has it"


def test_the_template_generator_and_an_unregistered_class_can_be_saved(tmp_path):
    gen = quick_fit(Mean, TinyImages(), steps=20, spread=0.5)
    gen.save(tmp_path / "mean")
    with pytest.raises(augsynth.CheckpointError, match="cls=Mean"):
        augsynth.load(tmp_path / "mean")
    again = augsynth.load(tmp_path / "mean", cls=Mean)
    assert torch.equal(again.image, gen.image)


class TwoOptimizers(Mean):
    def optimizers(self):
        return {"a": torch.optim.SGD([self.image], 0.1), "b": torch.optim.SGD([self.image], 0.1)}


class WrongOptimizer(TwoOptimizers):
    def training_step(self, batch):
        self.optimize("c", super().training_step(batch)["loss"])
        return {}


def test_a_step_that_updates_nothing_is_explained():
    with pytest.raises(augsynth.BrokenPluginError, match=r"self\.optimize\(name, loss\)"):
        quick_fit(TwoOptimizers, TinyImages(), steps=5)
    with pytest.raises(augsynth.BrokenPluginError, match=r"no optimizer 'c'.*\['a', 'b'\]"):
        quick_fit(WrongOptimizer, TinyImages(), steps=5)


class Judged(Mean):
    """A second optimizer, of a weight that the loss of the first reaches, and a third, whose weight no loss reaches."""

    def build(self, spec, *, spread: float = 0.5):
        super().build(spec, spread=spread)
        self.judge, self.idle = nn.Parameter(torch.ones(())), nn.Parameter(torch.ones(()))
        self.asked = []
        self.judge.register_post_accumulate_grad_hook(lambda p: self.asked.append("judge"))

    def optimizers(self):
        return {name: torch.optim.SGD([getattr(self, name)], 0.1) for name in ("image", "judge", "idle")}

    def training_step(self, batch):
        self.asked.clear()
        loss = super().training_step(batch)["loss"]
        self.optimize("image", loss * self.judge)
        assert not self.asked, "its gradient is nobody's, and was computed"
        self.optimize("idle", super().training_step(batch)["loss"])
        self.optimize("judge", super().training_step(batch)["loss"].detach() * self.judge)
        assert self.asked == ["judge"]
        return {"loss": loss}


def test_gradients_are_computed_of_what_an_optimizer_moves():
    gen = quick_fit(Judged, TinyImages(), steps=5)
    assert gen.judge.item() < 1.0 == gen.idle.item()


class Unwilling(Mean):
    def draw(self, labels, seeds, *, temperature, truncation):
        return torch.zeros(len(seeds), 2, 2)


class Infinite(Mean):
    def draw(self, labels, seeds, *, temperature, truncation):
        return torch.full((len(seeds), *self.image.shape), float("inf"))


def test_a_generator_that_draws_nonsense_is_named():
    with pytest.raises(augsynth.BrokenPluginError, match=r"Unwilling made samples of shape \(\d+, 2, 2\)"):
        quick_fit(Unwilling, TinyImages(), steps=5)
    with pytest.raises(augsynth.BrokenPluginError, match="NaN or infinite"):
        quick_fit(Infinite, TinyImages(), steps=5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps=0"),
        ({"batch_size": 2.5}, "batch_size=2.5"),
        ({"micro_batch_size": 0}, "micro_batch_size=0: expected a whole number from 1 up"),
        (
            {"micro_batch_size": 4, "privacy": augsynth.Privacy(3.0, 1e-4)},
            "takes its batches in parts by itself .privacy=.$",
        ),
        ({"max_time": "soon"}, "duration 'soon'"),
        ({"max_time": -3}, "duration -3"),
        ({"device": "tpu9"}, "device='tpu9'"),
        ({"precision": "7-bit"}, "precision='7-bit'"),
        ({"validation": 1.0}, "validation=1.0"),
        ({"seed": 0.5}, "seed=0.5"),
        ({"no_such": 1}, "no setting 'no_such'.*width"),
        ({"prior": "flat"}, "prior='flat'"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        quick_fit("vae", TinyImages(), **options)


def test_cuda_without_a_device_is_explained():
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(augsynth.ConfigError, match="finds no CUDA device"):
        quick_fit("vae", TinyImages(), device="cuda")


def test_bad_data_is_named_by_its_position():
    good = torch.zeros(1, 8, 8)
    cases = [
        ([], "empty"),
        (
            [(good, 0), (torch.zeros(1, 9, 9), 1)],
            r"sample 1: a tensor of shape \(1, 9, 9\): expected tensor \(1, 8, 8\)",
        ),
        ([(good, 0), (good.double(), 1)], "sample 1.*float64"),
        ([(good, torch.zeros(8, 8))], r"sample 0: target of type Tensor, shape \(8, 8\)"),
        ([(good, 0), (good, "b")], "several types: int, str"),
        ([(good * float("nan"), 0)], "NaN"),
        ([(torch.zeros(7, 8, 8), 0)], r"shape \(7, 8, 8\).*1 to 4 channels"),
        ([(torch.zeros(64), 0)], r"shape \(64,\)"),
        ([(torch.zeros(1, 8, 8, dtype=torch.complex64), 0)], "dtype complex64"),
        ([(3.5, 0)], "type float"),
        (42, "type int"),
    ]
    for data, message in cases:
        with pytest.raises(augsynth.DataError, match=message):
            quick_fit("vae", data)

    class Failing(TinyImages):
        def __getitem__(self, index):
            if index == 5:
                raise OSError("disk on fire")
            return super().__getitem__(index)

    with pytest.raises(augsynth.DataError, match="sample 5 cannot be read: OSError: disk on fire"):
        quick_fit("vae", Failing())


def test_fitted_instances_and_wrong_kinds_are_refused(vae):
    with pytest.raises(augsynth.ConfigError, match="fitted already"):
        quick_fit(vae, TinyImages())
    with pytest.raises(augsynth.ConfigError, match="name of a plugin"):
        quick_fit(3, TinyImages())
    with pytest.raises(augsynth.PluginNotFoundError, match="did you mean 'vae'"):
        quick_fit("vea", TinyImages())


def test_presets_differ_by_amount_of_data():
    for name in ("vae", "gan", "autoencoder"):
        cls = type(augsynth.create("generator", name))
        spec = quick_fit(name, TinyImages(), steps=2).spec
        steps = [cls.presets(spec, per_class * 3)["steps"] for per_class in (10, 100, 1000, 10_000)]
        assert steps == sorted(steps) and steps[0] < steps[-1]


def test_a_killed_fit_leaves_the_last_checkpoint_whole(tmp_path):
    path = tmp_path / "c"
    quick_fit("vae", TinyImages(), steps=20, width=8, checkpoint_dir=path)
    before = json.loads((path / "generator.json").read_text())
    script = f"""
import os, signal, augsynth
from augsynth.modalities.image.tiny import TinyImages
kill = lambda step, losses: os.kill(os.getpid(), signal.SIGKILL) if step == 40 else None
augsynth.fit("vae", TinyImages(), steps=4000, width=8, checkpoint_dir={str(path)!r}, callback=kill, progress=False)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True)
    assert done.returncode == -signal.SIGKILL
    assert json.loads((path / "generator.json").read_text()) == before
    assert os.listdir(tmp_path) == ["c"]
    augsynth.load(path)


def test_a_batch_in_parts_takes_the_same_step(digits):
    together, parts = (quick_fit(Linear, digits, steps=40, batch_size=30, micro_batch_size=m) for m in (None, 8))
    for a, b in zip(together.state_dict().values(), parts.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=0)
    first, other = (gen.fit_info["history"][-1]["loss"] for gen in (together, parts))
    assert first == pytest.approx(other, rel=1e-4)
    for name, why in (("gan", "has 2 optimizers"), ("merf", "not fitted by steps on batches")):
        with pytest.raises(augsynth.ConfigError, match=f"micro_batch_size=8: .*{why}"):
            augsynth.fit(name, digits, steps=2, micro_batch_size=8, progress=False)
