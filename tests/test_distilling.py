"""A student of a generator."""

import json

import pytest
import torch

import augsynth
from augsynth import authoring
from augsynth.modalities.image.tiny import TinyImages
from tests.support import quick_fit

DATA = TinyImages(40, (1, 16, 16), form="tensor-float")
OFFERING = ("vae", "autoencoder", "vaegan")


@pytest.fixture(scope="module")
def teacher():
    made = quick_fit("vae", DATA, steps=60, batch_size=16)
    made.fit_info["warnings"].append("a warning of the fit")
    return made


@pytest.fixture(scope="module")
def student(teacher):
    return augsynth.distill(teacher, steps=300, device="cpu", progress=False)


def test_it_is_smaller_and_makes_nearly_the_same(teacher, student):
    first = augsynth.distill(teacher, steps=1, device="cpu", progress=False)
    one, other = (sum(p.numel() for p in gen.decoder.parameters()) for gen in (teacher, student))
    assert other < one / 2
    assert student.fit_info["distillation_error"] < first.fit_info["distillation_error"] / 2
    a, b = teacher.sample(30, seed=5), student.sample(30, seed=5)
    assert list(a.y) == list(b.y) and a.x[0].shape == b.x[0].shape
    told = float((a.model_x - b.model_x).abs().mean())
    assert told == pytest.approx(student.fit_info["distillation_error"], rel=0.3), "the error is that of new seeds"


def test_the_rest_is_the_teachers(teacher, student):
    x = [DATA[i][0] for i in range(4)]
    y = [DATA[i][1] for i in range(4)]
    torch.testing.assert_close(teacher.encode(x, y), student.encode(x, y), rtol=0, atol=0)
    assert student.capabilities == teacher.capabilities and student.plugin == teacher.plugin
    assert student.vary(x, y, strength=0.0, seed=0).model_x.allclose(teacher.spec.inputs(x), atol=1e-5)
    assert not student.training and not any("student" in name for name in vars(student))


def test_where_it_comes_from_is_told_and_saved(teacher, student, tmp_path):
    assert student.fit_info["distilled_from"] == teacher.checkpoint_id != student.checkpoint_id
    assert student.fit_info["distillation_seed"] == 0
    for kept in ("warnings", "data_fingerprint", "samples", "seed"):  # and what is stated of privacy, in the same way
        assert student.fit_info[kept] == teacher.fit_info[kept]
    again = augsynth.load(student.save(tmp_path / "student"))
    assert f"learnt from the generator `{teacher.checkpoint_id}`" in (tmp_path / "student/README.md").read_text()
    assert torch.equal(again.sample(5, seed=1).model_x, student.sample(5, seed=1).model_x)
    assert json.loads((tmp_path / "student/generator.json").read_text())["config"]["decoder_width"] == 8


def test_it_follows_its_seed_and_leaves_the_teacher_alone(teacher):
    before = {name: one.clone() for name, one in teacher.state_dict().items()}
    state = torch.get_rng_state()
    made = [augsynth.distill(teacher, steps=4, seed=s, device="cpu", progress=False) for s in (1, 1, 2)]
    assert torch.equal(state, torch.get_rng_state())
    a, b, c = (torch.cat([p.flatten() for p in one.decoder.parameters()]) for one in made)
    assert torch.equal(a, b) and not torch.equal(a, c)
    assert all(torch.equal(one, before[name]) for name, one in teacher.state_dict().items())
    assert "for_sampling" not in vars(teacher) and "training_step" not in vars(made[0])


@pytest.mark.parametrize("name", OFFERING)
def test_first_party_generators_that_offer_it(name):
    gen = quick_fit(name, DATA, steps=3, batch_size=8)
    made = augsynth.distill(gen, steps=3, device="cpu", progress=False)
    assert sum(p.numel() for p in made.parameters()) < sum(p.numel() for p in gen.parameters())
    assert not [one for one in made.training_only if hasattr(made, one)]
    assert made.sample(2, seed=0).model_x.isfinite().all()


def test_unconditional_and_interrupted(monkeypatch):
    gen = quick_fit("vae", [x for x, _ in DATA], steps=3, batch_size=8)
    heard = []

    def stop(step, losses):
        heard.append((step, losses["loss"]))
        raise KeyboardInterrupt

    with pytest.warns(augsynth.FitWarning, match="interrupted after 20 steps"):
        made = augsynth.distill(gen, steps=500, device="cpu", callback=stop, progress=False)
    assert made.fit_info["ended"] == "interrupted" and made.fit_info["steps"] == 20 and len(heard) == 1
    assert len(made.sample(3, seed=0)) == 3


class Shallow(augsynth.Generator):
    """States settings of a smaller one, and draws without a network."""

    modality = "image"

    def build(self, spec, *, width: int = 4):
        self.net = torch.nn.Linear(width, 2)
        self.shape = spec.shape

    def training_step(self, batch):
        return {"loss": self.net.weight.square().mean()}

    def draw(self, labels, seeds, *, temperature, truncation):
        return authoring.noise(seeds, self.shape).tanh()

    def student_settings(self):
        return {"width": 2}


def test_mistakes_are_told(teacher):
    for wrong in ({"steps": 0}, {"batch_size": 1.5}):
        with pytest.raises(augsynth.ConfigError, match="expected a whole number from 1 up"):
            augsynth.distill(teacher, progress=False, **wrong)
    with pytest.raises(augsynth.ConfigError, match="width=16 would change encoder as well.*decoder_width"):
        augsynth.distill(teacher, width=16, progress=False)
    with pytest.raises(augsynth.ConfigError, match="no setting 'wdith'"):
        augsynth.distill(teacher, wdith=16, progress=False)
    with pytest.raises(augsynth.ConfigError, match="nothing to distil"):
        augsynth.distill(teacher, lr=0.1, progress=False)
    with pytest.raises(augsynth.NotFittedError):
        augsynth.distill(augsynth.create("generator", "vae"), progress=False)
    with pytest.raises(augsynth.BrokenPluginError, match="takes no network by for_sampling"):
        augsynth.distill(quick_fit(Shallow, DATA, steps=2), progress=False)
    with pytest.raises(augsynth.CapabilityError, match="lstm cannot be distilled"):
        augsynth.distill(quick_fit("lstm", [("a b c", 0), ("c b a", 1)] * 4, steps=2), progress=False)
