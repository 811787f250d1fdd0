"""Counter-based random numbers."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import augsynth
from augsynth import _philox_cuda, authoring
from augsynth.modalities.image.tiny import TinyImages
from augsynth.seeding import derive, philox, seeds_for
from tests.support import quick_fit

SEEDS = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=6)


def test_known_answers():
    """The test vectors that come with the paper's code (Random123, kat_vectors)."""
    ones = 2**32 - 1
    vectors = [
        (0, (0, 0, 0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        (-1, (ones, ones, ones, ones), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            0x299F31D0_A4093822 - (1 << 64) if 0x299F31D0_A4093822 >= 1 << 63 else 0x299F31D0_A4093822,
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ]
    for key, counter, expected in vectors:
        assert tuple(int(word) for word in philox(torch.tensor(key), counter)) == expected


@given(SEEDS, st.integers(1, 9), st.integers(0, 1000))
def test_a_row_depends_on_its_seed_alone(seeds, size, stream):
    rows = torch.tensor(seeds)
    for draw in (authoring.noise, authoring.uniform):
        together = draw(rows, (size,), stream=stream)
        for i in range(len(seeds)):
            assert torch.equal(together[i], draw(rows[i : i + 1], (size,), stream=stream)[0])
        assert torch.equal(together, draw(rows, (size + 5,), stream=stream)[:, :size]), "a longer row begins alike"


@given(SEEDS)
def test_uniform_is_open_and_noise_finite(seeds):
    u = authoring.uniform(torch.tensor(seeds), (200,))
    assert ((u > 0) & (u < 1)).all()
    assert torch.isfinite(authoring.noise(torch.tensor(seeds), (200,))).all()


@given(st.integers(0, 2**62), st.floats(0.1, 4.0))
def test_truncated_noise_stays_within(seed, truncation):
    x = authoring.noise(torch.tensor([seed]), (500,), truncation=truncation)
    assert x.abs().max() <= truncation * (1 + 1e-6)


def test_distributions():
    seeds = authoring.derive(0, torch.arange(200))
    x = authoring.noise(seeds, (5000,)).double()
    assert abs(x.mean()) < 0.005 and abs(x.std() - 1) < 0.005 and abs((x**4).mean() - 3) < 0.05
    u = authoring.uniform(seeds, (5000,))
    assert torch.histc(u, 20, 0, 1).std() / 50_000 < 0.02
    between = torch.corrcoef(x[:50])
    assert (between - torch.eye(50)).abs().max() < 0.08, "rows of neighbouring seeds are uncorrelated"


def test_streams_and_derived_seeds_are_independent():
    seeds = authoring.derive(1, torch.arange(2000))
    columns = torch.stack(
        [authoring.noise(seeds)[:], authoring.noise(seeds, stream=1), authoring.noise(authoring.derive(seeds, 0)),
         authoring.noise(authoring.derive(seeds, 1)), authoring.uniform(seeds)]
    )  # fmt: skip
    assert (torch.corrcoef(columns) - torch.eye(5)).abs().max() < 0.08
    assert len(seeds.unique()) == 2000
    assert seeds.min() >= 0


def test_bits_do_not_depend_on_the_device():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    seeds = authoring.derive(0, torch.arange(64))
    assert torch.equal(authoring.uniform(seeds, (100,)), authoring.uniform(seeds.cuda(), (100,)).cpu())
    assert torch.equal(derive(seeds, seeds, 3), derive(seeds.cuda(), seeds.cuda(), 3).cpu())
    assert _philox_cuda._broken == [], "the kernel was made"
    assert torch.allclose(authoring.noise(seeds, (100,)), authoring.noise(seeds.cuda(), (100,)).cpu(), atol=1e-6)


@pytest.mark.parametrize("seed", ["x", 1.5, True, 2**64, None.__class__])
def test_a_seed_must_be_an_integer(seed):
    with pytest.raises(augsynth.ConfigError, match="seed="):
        seeds_for(3, seed=seed)


def test_seeds_must_fit():
    with pytest.raises(augsynth.ConfigError, match="expected 3 integers"):
        seeds_for(3, seeds=[1, 2])
    with pytest.raises(augsynth.ConfigError, match="pass one of them"):
        seeds_for(1, seed=1, seeds=[2])
    with pytest.raises(augsynth.ConfigError, match="truncation=0"):
        authoring.noise(torch.tensor([1]), (2,), truncation=0)


def test_seeding_torch_neither_starts_cuda_nor_leaves_a_seed_behind_for_it(monkeypatch, tiny_vae, tmp_path):
    def touched(*_):
        raise AssertionError("CUDA was asked for something")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    for name in ("get_rng_state_all", "set_rng_state_all", "manual_seed_all", "manual_seed"):
        monkeypatch.setattr(torch.cuda, name, touched)
    augsynth.load(tiny_vae.save(tmp_path / "model"), device="cpu")
    quick_fit("vae", TinyImages(), steps=2, width=8)
