"""What an author gets wrong is told with the method that it is in, not by what fails behind it."""

import numpy as np
import pytest
import torch

import augsynth
from augsynth import authoring
from augsynth.modalities.image.tiny import TinyImages
from tests.support import quick_fit


class ByStep(augsynth.Generator):
    def build(self, spec):
        self.weight = torch.nn.Parameter(torch.zeros(4))

    def training_step(self, batch):
        return {"loss": self.weight.square().sum()}

    def draw(self, labels, seeds, *, temperature, truncation):
        return authoring.uniform(seeds, self.spec.shape) * 2 - 1


def changed(**methods):
    return type("Own", (ByStep,), methods)


def losses(made):
    return {"training_step": lambda self, batch: made(self)}


@pytest.mark.filterwarnings("ignore::augsynth.CollapseWarning")
@pytest.mark.parametrize(
    ("methods", "message"),
    [
        (
            {"draw": lambda self, labels, seeds: torch.zeros(len(seeds), 1, 8, 8)},
            r"draw\(self, labels, seeds\) of Own takes no temperature and no truncation: expected draw\(self, labels",
        ),
        (
            {"draw": lambda self, labels, seeds, **_: np.zeros((len(seeds), 1, 8, 8))},
            "Own made a ndarray, expected a tensor",
        ),
        ({"draw": lambda self, labels, seeds, **_: None}, "Own made a NoneType, expected a tensor"),
        (
            {"optimizers": lambda self: torch.optim.SGD([self.weight])},
            r"optimizers\(\) of Own gave a SGD, expected a dict",
        ),
        ({"optimizers": lambda self: {"model": [self.weight]}}, r"optimizers\(\) of Own gave a list as 'model'"),
        (
            losses(lambda self: self.weight.sum()),
            r"training_step\(batch\) of Own gave a tensor of shape \(\), expected a",
        ),
        (
            losses(lambda self: {"loss": self.weight}),
            r"gave a tensor of shape \(4,\) as 'loss', expected a tensor of one",
        ),
        (losses(lambda self: {"loss": 0.5}), "gave a float as 'loss'"),
        (losses(lambda self: {"loss": self.weight.sum().detach()}), "'loss' has no gradient; it was detached"),
        (losses(lambda self: self.optimize("model", self.weight.detach().sum())), "'model' has no gradient"),
        (losses(lambda self: self.optimize("modle", self.weight.sum())), "there is no optimizer 'modle'.*'model'"),
        (losses(lambda self: {"los": self.weight.sum()}), r"returned \['los'\] and made no update"),
    ],
)
def test_what_a_generator_gives_back(methods, message):
    assert quick_fit(ByStep, TinyImages(12), steps=2).fit_info["steps"] == 2
    with pytest.raises(augsynth.BrokenPluginError, match=message):
        quick_fit(changed(**methods), TinyImages(12), steps=2).sample(2, seed=0)


def test_what_a_transform_gives_back():
    for form in ("tensor", "array", "pil"):
        nothing = type("Own", (authoring.Transform,), {"works_on": form, "apply": lambda self, image, seed: None})
        with pytest.raises(augsynth.BrokenPluginError, match="Own.apply returned None: expected the transformed image"):
            nothing()(torch.zeros(1, 8, 8))
    with pytest.raises(
        augsynth.BrokenPluginError, match="Own.works_on='tensr': expected one of 'tensor', 'array', 'pil'"
    ):
        type("Own", (authoring.Transform,), {"works_on": "tensr"})


def test_a_transform_need_not_call_its_base():
    class Own(authoring.Transform):
        def __init__(self, shade):
            self.shade = shade

        def apply(self, image, seed):
            return image // 2

    x = torch.ones(1, 8, 8)
    assert torch.allclose(Own(1)(x), x / 2, atol=0.01)
