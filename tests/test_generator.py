"""What a request for samples accepts, and what generators offer beyond it."""

import numpy as np
import pytest
import torch

import augsynth
from augsynth.modalities.image.tiny import TinyImages
from tests.support import quick_fit


def test_ways_to_ask(vae):
    assert len(vae.sample(seed=0)) == 1
    assert len(vae.sample(0, seed=0)) == 0
    assert vae.sample(labels=[1, 2, 3], seed=0).y.tolist() == [1, 2, 3]
    assert vae.sample(labels=np.array([4, 4]), seed=0).y.tolist() == [4, 4]
    assert vae.sample(3, labels=torch.tensor(7), seed=0).y.tolist() == [7] * 3
    assert vae.sample(2, labels="9", seed=0).y.tolist() == [9, 9]
    assert len(vae.sample(seeds=[5, 6])) == 2
    assert len(vae.sample(600, seed=0)) == 600, "more than one part"


def test_labels_follow_the_training_distribution(digits, vae):
    real = torch.bincount(digits.tensors[1], minlength=10) / len(digits)
    made = torch.bincount(vae.sample(4000, seed=0).y, minlength=10) / 4000
    assert (real - made).abs().max() < 0.03


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": -1}, "n=-1"),
        ({"n": 2.5}, "n=2.5"),
        ({"n": 3, "labels": [1, 2]}, "n asks for 3"),
        ({"labels": [1, 2], "seeds": [1]}, "contradictory"),
        ({"n": 1, "seed": "a"}, "seed='a'"),
        ({"n": 1, "seeds": [0.5]}, "expected 1 integers"),
        ({"n": 1, "labels": 12}, "no class 12.*0, 1, 2"),
        ({"labels": {1: 4}}, r"labels=\{1: 4\}: expected one for all samples, or a sequence"),
        ({"labels": {1, 2}}, r"labels=\{1, 2\}"),
        ({"n": 5, "label": 3}, "sample of .*vae has no option 'label'.*did you mean 'labels'"),
        ({"n": 5, "top_p": 0.5}, "no option 'top_p'.*temperature, truncation, seed, seeds it has: none$"),
        ({"n": 1, "topics": "sport"}, "topics='sport'"),
        ({"n": 1, "temperature": "hot"}, "temperature='hot'"),
        ({"n": 1, "truncation": -2}, "truncation=-2"),
    ],
)
def test_bad_requests_name_the_value(vae, options, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        vae.sample(**options)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epochs", "VAE has no setting 'epochs'.*told to fit, by steps=2000 or max_time="),
        ("learning_rate", "did you mean 'lr'"),
        ("latent_dims", "did you mean 'latent_dim'"),
        ("zzz", "no setting 'zzz'; it has: .*[a-z]$"),
    ],
)
def test_a_setting_that_there_is_not_is_told_with_the_one_that_was_meant(digits, setting, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        augsynth.fit("vae", digits, **{setting: 1}, steps=1)


def test_temperature_and_truncation_narrow_the_samples(vae, gan):
    for gen in (vae, gan):
        spread = {t: gen.sample(100, labels=3, temperature=t, seed=0).model_x.std(0).mean() for t in (0.3, 1.0)}
        assert spread[0.3] < spread[1.0]
        cut = gen.sample(100, labels=3, truncation=0.3, seed=0).model_x.std(0).mean()
        assert cut < spread[1.0]


def test_interpolation_begins_and_ends_at_the_reconstructions(digits, vae):
    x, y = digits.tensors[0][:4], digits.tensors[1][:4]
    paths = vae.interpolate(x[:2], x[2:], y[:2], steps=5)
    assert len(paths) == 2 and paths[0].shape == (5, 1, 8, 8)
    assert torch.allclose(paths[0][0], vae.reconstruct(x[:1], y[:1])[0], atol=1e-4)
    with pytest.raises(augsynth.ConfigError, match="steps=1"):
        vae.interpolate(x[:1], x[1:2], y[:1], steps=1)
    with pytest.raises(augsynth.ConfigError, match="equal in number"):
        vae.interpolate(x[:1], x[1:3], y[:1])


def test_encode_and_decode_are_inverse_in_shape(digits, vae):
    x, y = digits.tensors[0][:6], digits.tensors[1][:6]
    z = vae.encode(x, y)
    assert z.shape == (6, vae.config["latent_dim"])
    assert torch.allclose(vae.decode(z, y), vae.reconstruct(x, y), atol=1e-5)


@pytest.mark.parametrize("method", ["transfer", "pooled", "interpolate", "jitter"])
def test_every_way_to_vary(digits, vae, method):
    x, y = digits.tensors[0][:32], digits.tensors[1][:32]
    near, far = (vae.vary(x, y, strength=s, seed=0, method=method).x for s in (0.2, 1.0))
    assert 0 < (near - x).abs().mean() < (far - x).abs().mean() < 0.5
    assert torch.equal(near, vae.vary(x, y, strength=0.2, seed=0, method=method).x)


def test_bad_variations_name_the_value(digits, vae):
    x, y = digits.tensors[0][:3], digits.tensors[1][:3]
    for options, message in [
        ({"method": "magic"}, "method='magic'"),
        ({"strength": -1}, "strength=-1"),
        ({"wild": 1}, "'wild'"),
    ]:
        with pytest.raises(augsynth.ConfigError, match=message):
            vae.vary(x, y, **options)
    with pytest.raises(augsynth.ConfigError, match="y is needed"):
        vae.vary(x)
    with pytest.raises(augsynth.ConfigError, match="2 labels for 3"):
        vae.vary(x, y[:2])
    with pytest.raises(augsynth.DataError, match="stacked or in a list"):
        vae.vary(x[0], y[:1])
    with pytest.raises(augsynth.DataError, match=r"shape \(1, 9, 9\)"):
        vae.vary(torch.zeros(3, 1, 9, 9), y)


def test_the_standard_prior_is_there_beside_the_mixture():
    gen = quick_fit("vae", TinyImages(), steps=10, width=8, prior="standard")
    assert gen.sample(4, seed=0).x.shape == (4, 1, 8, 8)


def test_outliers_have_a_high_reconstruction_error(digits):
    gen = quick_fit("autoencoder", digits, steps=150, width=16)
    x, y = digits.tensors[0][:40], digits.tensors[1][:40]
    noise = torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert gen.outlier_score(x, y).median() < 0.5 * gen.outlier_score(noise, y).median()


def test_class_names_work_wherever_ids_do():
    class Named(TinyImages):
        classes = ("ant", "bee", "cat")

    gen = quick_fit("vae", Named(), steps=5, width=8)
    assert gen.sample(2, labels="bee", seed=0).y.tolist() == [1, 1]
    assert gen.sample(labels=["cat", 0], seed=0).y.tolist() == [2, 0]
    assert gen.sample(1, labels="cat", seed=0).meta[0]["condition"] == "cat"
    blended = augsynth.SyntheticDataset(Named(), gen, ratio={"cat": 1.0}, condition={"ant": 1.0}, seed=0)
    assert 2 not in blended.targets


def test_on_a_gpu_the_samples_are_the_same():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    gen = quick_fit("vae", TinyImages(), steps=10, width=8)
    here = gen.sample(16, seed=0).model_x
    there = gen.to("cuda").sample(16, seed=0).model_x.cpu()
    assert (here - there).abs().max() < 2e-2


def test_a_gpu_generator_in_a_forked_worker_is_explained(vae, digits, monkeypatch):
    from augsynth.blending import source

    monkeypatch.setattr(source, "get_worker_info", lambda: object())
    monkeypatch.setattr(torch.cuda, "_is_in_bad_fork", lambda: True)
    monkeypatch.setattr(type(vae), "device", property(lambda self: torch.device("cuda")))
    with pytest.raises(augsynth.ConfigError, match=r"gen.to\('cpu'\)"):
        augsynth.SyntheticDataset(digits, vae, ratio=0.5, seed=0)
