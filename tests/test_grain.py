"""Grain of photographs: noise as strong as what an autoencoder does not keep, from the seed of each sample."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import TensorDataset

import augsynth
from augsynth import authoring
from augsynth.modalities.image.grain import Grain

pytestmark = pytest.mark.filterwarnings("ignore::augsynth.CollapseWarning")


@given(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9))
def test_bands_and_colours_hold_all_that_an_image_has(colours, rows, columns):
    grain = Grain(colours, [8])
    x = authoring.noise(torch.arange(2), (colours, 2 * rows, 2 * columns))
    assert torch.allclose(grain._joined(grain._parted(x)), x, atol=1e-5)
    assert torch.allclose(grain.mixing @ grain.mixing.T, torch.eye(colours), atol=1e-5)


def learn(grain, seen, images):
    """Strengths for what ``images(seeds)`` gives: those of a decoder, and real ones."""
    optimizer = torch.optim.Adam(grain.parameters(), lr=0.02)
    for step in range(300):
        optimizer.zero_grad()
        grain.loss(seen, *images(authoring.derive(torch.arange(16), step))).backward()
        optimizer.step()


@pytest.mark.parametrize("levels", [1, 2])
def test_the_strength_of_noise_is_learnt_where_it_is(levels):
    """White noise, .02 on the left and .2 on the right, all of it of one brightness: what is found is that."""
    side, n = 32, 16
    right = (torch.arange(side) >= side // 2).float().expand(n, 1, side, side)
    seen = [right[:, :, :: 2**level, :: 2**level] for level in range(1, levels + 1)]
    grain = Grain(3, [1] * levels)

    def images(seeds):
        made = authoring.uniform(seeds, (3, 1, 1), stream=1).expand(n, 3, side, side) - 0.5
        return made, made + (0.02 + 0.18 * right) * authoring.noise(seeds, (1, side, side), stream=2)

    learn(grain, seen, images)
    with torch.no_grad():
        drawn = grain(seen, torch.arange(n))
    share = (1 - 0.25**levels) ** 0.5  # the coarsest band is told by the decoder, and has no grain
    inner = (drawn[..., 2 : side // 2 - 2], drawn[..., side // 2 + 2 : -2])
    assert inner[0].std() == pytest.approx(0.02 * share, rel=0.3)
    assert inner[1].std() == pytest.approx(0.2 * share, rel=0.15)
    colour = drawn - drawn.mean(1, keepdim=True)
    assert colour.std() < drawn.std() / 10


def test_what_the_decoder_makes_by_itself_needs_no_grain():
    grain = Grain(1, [1])
    images = lambda seeds: [0.1 * authoring.noise(seeds, (1, 16, 16), stream=stream) for stream in (1, 2)]  # noqa: E731
    learn(grain, [torch.zeros(16, 1, 8, 8)], images)
    with torch.no_grad():
        assert grain([torch.zeros(4, 1, 8, 8)], torch.arange(4)).std() < 0.05  # an eighth of the energy or so


@settings(deadline=None, max_examples=20)
@given(st.integers(8, 70), st.integers(8, 70), st.integers(1, 4))
def test_grain_of_any_size(height, width, channels):
    factor = authoring.usual_factor(height, width)
    codec = authoring.ImageCodec((channels, height, width), 2, factor, width=16, grain=True)
    real = authoring.noise(torch.arange(2), (channels, height, width)).clamp(-1, 1)
    with torch.no_grad():
        z = codec.encode(real)
        made, seen = codec.decoded(z)
        assert codec.grain.loss(seen, made, real).isfinite()
        grainy = codec.decode(z, torch.tensor([3, 4]))
    assert grainy.shape == made.shape == real.shape
    assert not torch.equal(grainy, made) and torch.equal(codec.decode(z), made)


def test_grain_teaches_the_decoder_nothing():
    codec = authoring.ImageCodec((3, 32, 32), 2, 4, width=16, grain=True)
    made, seen = codec.decoded(codec.encode(torch.zeros(2, 3, 32, 32)))
    codec.grain.loss(seen, made, torch.zeros(2, 3, 32, 32)).backward()
    assert {name.partition(".")[0] for name, p in codec.named_parameters() if p.grad is not None} == {"grain"}


def test_a_codec_of_before_there_was_grain_has_none():
    shape = (3, 32, 32)
    before = authoring.ImageCodec(shape, 2, 4, width=16)
    codec = authoring.ImageCodec(shape, 2, 4, width=16, grain=True)
    codec.load_state_dict(before.state_dict())
    z, seeds = torch.randn(2, 2, 8, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([1, 2])
    with torch.no_grad():
        assert torch.allclose(codec.decode(z, seeds), before.decode(z, seeds), atol=1e-6)


@pytest.fixture(scope="module", params=["flow", "vqvae"])
def photographer(request):
    """A generator of 66×70 images that are noisy on the right."""
    n = 24
    strength = torch.linspace(0.0, 0.15, 70)
    y = torch.arange(n) % 2
    x = 0.3 + 0.4 * y[:, None, None, None] + strength * authoring.noise(torch.arange(n), (3, 66, 70))
    own = {
        "flow": {"codec_width": 16, "latent_channels": 4, "steps": 150, "codec_share": 0.8},
        "vqvae": {"levels": (4, 4), "prior_width": 32, "prior_depth": 2, "steps": 250, "codec_share": 0.8},
    }[request.param]
    data = TensorDataset(x.clamp(0, 1), y)
    return augsynth.fit(request.param, data, width=16, lr=3e-3, seed=0, progress=False, device="cpu", **own)


def finest(x):
    """Differences between pixels side by side: (n, C, H, W) → (W - 1,)."""
    return (x[..., 1:] - x[..., :-1]).std(dim=(0, 1, 2))


def test_samples_have_grain_where_photographs_have_it(photographer):
    labels = [0, 1] * 12
    grainy = photographer.sample(24, labels=labels, seed=0).x
    smooth = photographer.sample(24, labels=labels, seed=0, grain=False).x
    right = finest(grainy)[-20:].mean()
    assert right > 2 * finest(smooth)[-20:].mean() and right > 1.5 * finest(grainy)[:20].mean()
    assert 0.05 < right < 0.3  # that of the photographs is 2 ** .5 times .13
    assert grainy.min() >= 0 and grainy.max() <= 1


def test_grain_follows_the_seed_of_a_sample(photographer):
    whole = photographer.sample(6, labels=[0, 1] * 3, seed=1).x
    assert torch.equal(whole, photographer.sample(6, labels=[0, 1] * 3, seed=1).x)
    part = photographer.sample(2, labels=[0, 1], seed=1).x
    assert torch.allclose(part, whole[:2], atol=1e-5)
    apart = whole - photographer.sample(6, labels=[0, 1] * 3, seed=1, grain=False).x
    assert torch.corrcoef(apart.flatten(1)).triu(1).abs().max() < 0.2
