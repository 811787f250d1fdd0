"""What is their own of the generators that fit an autoencoder first: codes, latent ways, and how patches look."""

import pytest
import torch
from augsynth_vqvae.prior import Prior, write
from augsynth_vqvae.quantiser import Quantiser
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import TensorDataset

import augsynth
from augsynth import authoring
from augsynth.authoring import choose_by_logits as choose
from augsynth.datasets.named import open_dataset

pytestmark = pytest.mark.filterwarnings("ignore::augsynth.CollapseWarning")


def bars(n=24, height=66, width=70, channels=3):
    """Images whose class is where the bright half is."""
    y = torch.arange(n) % 2
    x = 0.1 * torch.rand(n, channels, height, width, generator=torch.Generator().manual_seed(0))
    x[y == 0, :, : height // 2] += 0.8
    x[y == 1, :, height // 2 :] += 0.8
    return TensorDataset(x, y)


@given(st.lists(st.integers(2, 9), min_size=1, max_size=4), st.integers(0, 2**31))
def test_codes_and_vectors_say_the_same(levels, seed):
    quantiser = Quantiser(levels)
    z = 3 * torch.randn(2, len(levels), 3, 5, generator=torch.Generator().manual_seed(seed))
    codes, vectors = quantiser.encode(z), quantiser(z)
    assert codes.min() >= 0 and codes.max() < quantiser.codes
    assert vectors.abs().max() <= 1 and torch.allclose(quantiser.decode(codes), vectors, atol=1e-5)
    every = torch.arange(quantiser.codes)[:, None, None]
    known = quantiser.decode(every)
    assert len(known.flatten(1).unique(dim=0)) == quantiser.codes  # no two alike


def test_gradients_pass_a_quantiser():
    z = torch.zeros(1, 2, 2, 2, requires_grad=True)
    Quantiser((5, 4))(z).sum().backward()
    assert z.grad is not None and (z.grad > 0).all()


@pytest.mark.parametrize("levels", [(), (1, 5), (5.0,), (True, 3)])
def test_levels_that_are_none(levels):
    with pytest.raises(augsynth.ConfigError, match="levels="):
        Quantiser(levels)


@pytest.fixture(scope="module")
def prior():
    torch.manual_seed(0)
    made = Prior(12, (3, 4), width=16, depth=2, heads=2, dropout=0.3, classes=3, condition=0).eval()
    torch.nn.init.normal_(made.start)
    return made


def test_the_cache_gives_what_the_whole_gives(prior):
    numbers = torch.rand(5, 12, generator=torch.Generator().manual_seed(1))
    labels, known = torch.tensor([0, 1, 2, 0, 1]), torch.ones(5)
    with torch.no_grad():
        made = write(prior, labels, numbers, temperature=0.7, top_p=0.9, guidance=1.0)
        logits = prior(made, labels, known)
        for position in range(12):  # what the whole says of each place leads to the same codes
            assert torch.equal(
                choose(logits[:, position], numbers[:, position], temperature=0.7, top_p=0.9), made[:, position]
            )
        assert torch.equal(
            write(prior, labels[2:3], numbers[2:3], temperature=0.7, top_p=0.9, guidance=1.0)[0], made[2]
        )


def test_what_comes_later_does_not_count(prior):
    codes = torch.arange(12)[None]
    other = codes.clone()
    other[0, 7:] = 3
    with torch.no_grad():
        a, b = (prior(one, torch.tensor([1]), torch.ones(1)) for one in (codes, other))
    assert torch.allclose(a[:, :8], b[:, :8], atol=1e-5) and not torch.allclose(a[:, 8:], b[:, 8:], atol=1e-3)


def test_codes_that_are_kept_stay(prior):
    given_codes = torch.arange(12).repeat(4, 1)
    kept = torch.rand(4, 12, generator=torch.Generator().manual_seed(2)) < 0.5
    numbers = torch.rand(4, 12, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        made = write(
            prior, torch.zeros(4, dtype=torch.int64), numbers, temperature=1.0, top_p=None, guidance=2.0,
            given=given_codes, kept=kept,
        )  # fmt: skip
    assert torch.equal(made[kept], given_codes[kept]) and not torch.equal(made, given_codes)


def test_likelier_codes_are_chosen_more_often_and_the_tail_not_at_all():
    logits = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log().repeat(2000, 1)
    u = (torch.arange(2000) + 0.5) / 2000
    shares = torch.bincount(choose(logits, u), minlength=4) / 2000
    assert torch.allclose(shares, torch.tensor([0.5, 0.3, 0.15, 0.05]), atol=2e-3)
    shares = torch.bincount(choose(logits, u, top_p=0.75), minlength=4) / 2000
    assert torch.allclose(shares, torch.tensor([0.625, 0.375, 0.0, 0.0]), atol=2e-3)
    assert (choose(logits, u, temperature=0) == 0).all()


@settings(deadline=None, max_examples=30)
@given(st.integers(8, 100), st.integers(8, 100), st.integers(1, 4), st.integers(1, 4))
def test_a_codec_takes_any_size(height, width, channels, vectors):
    factor = authoring.usual_factor(height, width)
    codec = authoring.ImageCodec((channels, height, width), vectors, factor, width=16)
    z = codec.encode(torch.zeros(2, channels, height, width))
    assert z.shape == (2, *codec.grid) and codec.decode(z).shape == (2, channels, height, width)
    assert 4 <= min(codec.grid[1:]) <= 16


def test_a_step_of_a_codec_sees_a_window_of_large_images():
    codec, discriminator = authoring.ImageCodec((3, 160, 128), 4, 8, width=16), authoring.PatchDiscriminator(3)
    optimizers, seen = authoring.codec_optimizers(codec, discriminator, 1e-3), []

    def optimize(name, loss):
        parameters = optimizers[name].param_groups[0]["params"]
        for p, gradient in zip(parameters, torch.autograd.grad(loss, parameters, retain_graph=True), strict=True):
            p.grad = gradient
        optimizers[name].step()

    def through(z):
        seen.append(tuple(z.shape))
        return z

    x = authoring.noise(torch.arange(2), (3, 160, 128)).clamp(-1, 1)
    for adversarial in (False, True):
        losses = authoring.codec_step(
            optimize, codec, discriminator, x, through, torch.arange(2), adversarial=adversarial
        )
        assert all(value.isfinite() for value in losses.values())
    assert seen == [(2, 4, 8, 8)] * 2


def test_a_decoder_of_codes_favours_no_place():
    """What is even comes back even, away from the border: no grid."""
    codec = authoring.ImageCodec((3, 128, 128), 4, 8, width=16).double()
    even = torch.randn(1, 4, 1, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).expand(1, 4, 32, 32)
    codec.height = codec.width = 256
    with torch.no_grad():
        inner = codec.decode(even)[0, :, 112:144, 112:144]
    assert inner.std(dim=(1, 2)).max() < 1e-9 < inner.abs().max()


@pytest.mark.parametrize("factor", [0, 1, 3, 4.0, True])
def test_factors_that_are_none(factor):
    with pytest.raises(augsynth.ConfigError, match="factor="):
        authoring.ImageCodec((3, 32, 32), 4, factor)


@pytest.mark.parametrize("name", ["vqvae", "flow", "vaegan"])
def test_photographs_keep_their_size_and_their_label(name):
    data = bars()
    own = {
        "flow": {"codec_width": 16, "latent_channels": 4, "steps": 100},
        "vqvae": {"levels": (4, 4), "prior_lr": 3e-3, "prior_width": 32, "prior_depth": 2, "steps": 140},
        "vaegan": {"steps": 40},
    }
    gen = augsynth.fit(name, data, width=16, lr=3e-3, seed=0, progress=False, device="cpu", **own[name])
    made = gen.sample(32, labels=[0, 1] * 16, seed=0).x
    assert made.shape == (32, 3, 66, 70) and made.min() >= 0 and made.max() <= 1
    x, y = data.tensors
    top = lambda z: z[:, :, :33].mean((1, 2, 3)) - z[:, :, 33:].mean((1, 2, 3))  # noqa: E731
    assert top(made)[::2].mean() > 0.1 + top(made)[1::2].mean()  # after so few steps, by and large
    assert torch.allclose(gen.vary(x[:4], y[:4], strength=0.0, seed=0).x, x[:4], atol=1e-6)
    varied = gen.vary(x[:4], y[:4], seed=0).x
    assert not torch.equal(varied, x[:4]) and (top(varied).sign() == top(x[:4]).sign()).all()
    assert (gen.reconstruct(x[:4], y[:4]) - x[:4]).abs().mean() < (x[1:5] - x[:4]).abs().mean() / 2


@pytest.mark.parametrize("name", ["vqvae", "flow", "vaegan"])
def test_checkpoints_hold_no_discriminator(name, tmp_path):
    gen = augsynth.fit(name, bars(8), steps=4, width=16, progress=False, device="cpu")
    loaded = augsynth.load(gen.save(tmp_path / "g"))
    names = list(loaded.state_dict())
    assert names and not any(one.startswith(("discriminator", "codec.")) for one in names)
    assert torch.equal(loaded.sample(3, seed=1).x, gen.sample(3, seed=1).x)


def test_a_flow_in_a_latent_space_mends_nothing():
    gen = augsynth.fit("flow", bars(8), steps=4, width=16, progress=False, device="cpu")
    with pytest.raises(augsynth.CapabilityError, match="latent=False"):
        gen.restore(torch.rand(1, 3, 66, 70), noise=0.1)


def test_guidance_and_top_p_of_a_vqvae():
    data = open_dataset("digits").subset(torch.arange(64))
    gen = augsynth.fit("vqvae", data, steps=6, width=16, prior_width=32, progress=False, device="cpu")
    plain = gen.sample(6, seed=0).x
    assert not torch.equal(plain, gen.sample(6, seed=0, guidance=3.0).x)
    assert not torch.equal(plain, gen.sample(6, seed=0, top_p=0.1).x)
    assert torch.equal(gen.sample(6, seed=0, truncation=0.1).x, gen.sample(6, seed=0, top_p=0.1).x)
    with pytest.raises(augsynth.ConfigError, match="top_p=2"):
        gen.sample(1, top_p=2)


@pytest.mark.parametrize(
    ("name", "own"), [("flow", {"latent": True, "codec_width": 16}), ("vqvae", {"levels": (5, 4)})]
)
def test_a_fit_that_is_interrupted_while_its_autoencoder_is_fitted_ends_the_same(name, own, tmp_path):
    data = open_dataset("digits").subset(torch.arange(48))
    options = {"steps": 60, "batch_size": 8, "width": 16, "seed": 4, "progress": False, "device": "cpu", **own}
    whole = augsynth.fit(name, data, **options)

    def stop_at_20(step, losses):
        assert "error" in losses  # of the autoencoder
        raise KeyboardInterrupt

    with pytest.warns(augsynth.FitWarning, match="interrupted after 20 steps"):
        augsynth.fit(name, data, checkpoint_dir=tmp_path / "c", callback=stop_at_20, **options)
    rest = augsynth.fit(name, data, checkpoint_dir=tmp_path / "c", resume=True, **options)
    assert torch.equal(whole.sample(8, seed=0).model_x, rest.sample(8, seed=0).model_x)
    assert whole.fit_info["history"] == rest.fit_info["history"]
