"""Each number that a generator is told is checked, and the message names it."""

import inspect

import pytest
import torch
from augsynth_audio.tiny import TinyTones

import augsynth
from augsynth.datasets.named import open_dataset
from augsynth.registry import default_registry

DIGITS = open_dataset("digits").subset(torch.arange(200))
TEXTS = [(f"a sentence about {thing} number {i}", thing) for i in range(10) for thing in ("cats", "dogs")]
GENERATORS = {
    **dict.fromkeys(("vae", "autoencoder", "vaegan", "gan", "flow", "vqvae", "merf"), DIGITS),
    "augsynth-template/gaussian": DIGITS,
    **dict.fromkeys(("lstm", "lstm_autoencoder"), TEXTS),
    "specvae": TinyTones(16),
}
FOUND = {
    "mean",
    "top",
    "longest",
    "vocabulary",
    "min_count",
}  # found in the data, or read before the generator is there
BAD = {int: (-1, 2.5, "8", True), float: (-1.0, float("nan"), "a", True)}


def cases():
    for name in GENERATORS:
        build = default_registry().create("generator", name).build
        for key, parameter in inspect.signature(build).parameters.items():
            if type(parameter.default) in BAD and key not in FOUND:
                for value in BAD[type(parameter.default)]:
                    yield pytest.param(name, key, value, id=f"{name}-{key}-{value}")


@pytest.mark.parametrize(("name", "key", "value"), cases())
def test_a_number_that_cannot_be_is_named(name, key, value):
    with pytest.raises(augsynth.ConfigError, match=f"{key}={value!r}: expected"):
        augsynth.fit(name, GENERATORS[name], steps=1, progress=False, **{key: value})
