"""The form of the networks that samples fastest."""

import copy
import itertools
import json
import pickle

import pytest
import torch
from torch import nn

import augsynth
from augsynth import sampling_speed
from augsynth.inference import ChannelAffine, inference_form
from augsynth.modalities.image.tiny import TinyImages
from tests.support import quick_fit

DATA = TinyImages(30, form="tensor-float")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "augsynth/sampling.json"


@pytest.fixture(scope="module")
def gan():
    return quick_fit("gan", DATA, steps=6, batch_size=8)


@pytest.mark.parametrize("affine", [True, False])
def test_a_batch_norm_becomes_one_multiplication_and_addition(affine):
    norm = nn.BatchNorm2d(5, affine=affine)
    for _ in range(3):
        norm(torch.randn(8, 5, 4, 4) * 3 + 1)
    net = nn.Sequential(nn.Conv2d(2, 5, 3), norm, nn.ReLU()).eval()
    fast, x = inference_form(net), torch.randn(4, 2, 9, 9)
    assert isinstance(fast[1], ChannelAffine) and isinstance(net[1], nn.BatchNorm2d), "the trained one stays"
    torch.testing.assert_close(net(x), fast(x), atol=1e-5, rtol=1e-5)
    assert not any(p.requires_grad for p in fast.parameters())


@pytest.mark.parametrize("size", [(8, 8), (16, 16), (28, 28), (9, 13)])
def test_the_gan_makes_the_same_in_fewer_operations(size):
    gen = quick_fit("gan", TinyImages(16, (1, *size), form="tensor-float"), steps=2, batch_size=8)
    labels, seeds = torch.arange(6) % 3, torch.arange(6)
    with torch.enable_grad():
        trained = gen.draw(labels, seeds, temperature=1.0, truncation=None)
    torch.testing.assert_close(trained.detach(), gen.draw_many(labels, seeds), atol=2e-5, rtol=0)


def test_it_is_made_once_and_anew_when_weights_change(gan):
    gen = copy.deepcopy(gan)
    with torch.no_grad():
        first = gen.for_sampling("averaged")
        assert gen.for_sampling("averaged") is first and first is not gen.averaged
        before = gen.sample(3, seed=0).x
        next(gen.averaged.parameters()).mul_(1.5)
        assert gen.for_sampling("averaged") is not first
    assert not torch.equal(before, gen.sample(3, seed=0).x)
    assert gen.for_sampling("averaged") is gen.averaged, "with gradients, the networks themselves"
    assert len(pickle.dumps(gen)) < 1.2 * len(pickle.dumps(gan)) + 1000


def test_sampling_is_measured_once_and_remembered(gan, cache):
    gen = copy.deepcopy(gan)
    expected = gen.sample(50, seed=0).x
    found = gen.tune_sampling(64)
    assert found["micro_batch"] in (16, 32, 64) and set(found["samples_per_second"]) == {"16", "32", "64"}
    assert gen.micro_batch["cpu"] == found["micro_batch"] and gan.micro_batch is type(gan).micro_batch
    torch.testing.assert_close(expected, gen.sample(50, seed=0).x, atol=2e-5, rtol=0)
    (key,) = json.loads(cache.read_text())
    cache.write_text(json.dumps({key: {**found, "micro_batch": 17}}))
    other = copy.deepcopy(gan)
    assert other.tune_sampling(64)["micro_batch"] == 17 == other.micro_batch["cpu"]
    assert other.tune_sampling(64, again=True)["micro_batch"] != 17


def test_a_damaged_cache_is_measured_over(gan, cache):
    cache.parent.mkdir()
    cache.write_text("{")
    assert copy.deepcopy(gan).tune_sampling(16)["micro_batch"] == 16


def test_what_cannot_be_compiled_is_used_as_it_is(gan, cache, monkeypatch, caplog):
    def fail(*_, **__):
        raise RuntimeError("no C++ compiler found")

    monkeypatch.setattr(torch, "compile", fail)
    gen = copy.deepcopy(gan)
    assert gen.tune_sampling(16, compile=True)["compiled"] is False
    assert "no C++ compiler found" in caplog.text
    assert torch.equal(gen.sample(4, seed=0).x, gan.sample(4, seed=0).x)


def test_bfloat16_is_kept_where_it_is_faster_and_changes_nothing_to_be_seen(gan, cache, monkeypatch):
    gen = copy.deepcopy(gan)
    expected = gen.sample(20, seed=0).x
    monkeypatch.setattr(sampling_speed, "_measured", lambda draw, sizes: dict.fromkeys(sizes, 1.0))
    assert gen.tune_sampling(16, autocast=True)["autocast"] is False, "no faster"
    assert torch.equal(gen.sample(20, seed=0).x, expected)

    speeds = itertools.cycle([2.0, 1.0])
    monkeypatch.setattr(sampling_speed, "_measured", lambda draw, sizes: dict.fromkeys(sizes, next(speeds)))
    monkeypatch.setattr(sampling_speed, "LEVEL", 1.0)
    assert gen.tune_sampling(16, autocast=True, again=True)["autocast"] is True
    made = gen.sample(20, seed=0).x
    assert made.dtype == expected.dtype and not torch.equal(made, expected)
    torch.testing.assert_close(made, expected, atol=0.1, rtol=0)
    spawned = pickle.loads(pickle.dumps(gen))
    torch.testing.assert_close(made, spawned.sample(20, seed=0).x, atol=1e-6, rtol=0)

    monkeypatch.setattr(sampling_speed, "LEVEL", 1e-6)
    assert gen.tune_sampling(16, autocast=True, again=True)["autocast"] is False, "the samples would change"


@pytest.mark.parametrize("n", [0, True, 2.5])
def test_a_bad_size_is_named(gan, n):
    with pytest.raises(augsynth.ConfigError, match=f"n={n}"):
        gan.tune_sampling(n)
