"""What is the flow's own: its ways, its steps, and what it mends."""

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import strategies as st

import augsynth
from augsynth.datasets.named import open_dataset

pytestmark = pytest.mark.filterwarnings("ignore::augsynth.CollapseWarning")


@pytest.fixture(scope="module")
def flow():
    data = open_dataset("digits").subset(torch.arange(500))
    return augsynth.fit("flow", data, steps=300, batch_size=32, width=16, seed=0, progress=False, device="cpu")


@pytest.fixture(scope="module")
def held():
    return open_dataset("digits", split="test").subset(torch.arange(64))


def error(a, b):
    return float((a.float() - b.float()).square().mean())


def test_there_and_back(flow, held):
    x, y = held.inputs[:16], held.targets[:16]
    z = flow.encode(x, y)
    assert z.shape == (16, 64) and abs(float(z.std()) - 1) < 0.25
    assert error(flow.decode(z, y), x) < 60 < error(x.flip(0), x)  # squares of grey levels
    path = flow.interpolate(x[:2], x[2:4], y[:2], steps=3)
    assert len(path) == 2 and path[0].shape == (3, 1, 8, 8) and error(path[0][0], x[0]) < 120


def test_strength_goes_from_nothing_to_a_new_sample(flow, held):
    x, y = held.inputs[:32], held.targets[:32]
    far = [error(flow.vary(x, y, strength=s, seed=0).x, x) for s in (0.0, 0.3, 1.0, 2.0)]
    assert far[0] == 0.0 and far == sorted(far)
    # all of the way is noise alone: nothing is left of the original
    assert torch.equal(
        flow.vary(x[:4], y[:4], strength=2.0, seed=0).x, flow.vary(x[4:8], y[:4], strength=9.0, seed=0).x
    )


def test_steps_and_solver_are_options(flow):
    for options in ({"sampling_steps": 1}, {"sampling_steps": 8, "solver": "heun"}):
        assert flow.sample(2, seed=0, **options).x.shape == (2, 1, 8, 8)
    for options, message in (({"sampling_steps": -1}, "sampling_steps=-1"), ({"solver": "euler"}, "solver='euler'")):
        with pytest.raises(augsynth.ConfigError, match=message):
            flow.sample(2, seed=0, **options)
    with pytest.raises(augsynth.ConfigError, match="no option 'method'; beside .* it has: 'sampling_steps'"):
        flow.vary([torch.zeros(1, 8, 8, dtype=torch.uint8)], [0], method="transfer")


@hypothesis.given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 50))
def test_steps_are_shorter_where_there_is_more_noise(start, end, steps):
    from augsynth_flow.times import times_between

    start, end = max(start, end), min(start, end)
    times = times_between(start, end, steps)
    assert (times[0], times[-1], len(times)) == (start, end, steps + 1)
    lengths = -np.diff(times)
    assert (lengths >= -1e-12).all() and (np.diff(lengths) >= -1e-12).all()
    assert np.allclose(times_between(end, start, steps), times[::-1])


def test_labels_are_exaggerated_up_to_a_time(held):
    settings = {"steps": 40, "batch_size": 32, "width": 16, "plain_share": 0.0, "seed": 0, "progress": False}
    fits = {
        key: augsynth.fit("flow", held, device="cpu", **settings, **options).sample(4, seed=0, labels=[0, 1, 2, 3]).x
        for key, options in (
            ("plain", {"guidance": 1.0}),
            ("never", {"guidance": 3.0, "guided_until": 0.0}),
            ("often", {"guidance": 3.0, "guided_until": 0.8}),
            ("always", {"guidance": 3.0, "guided_until": 1.0}),
        )
    }
    assert torch.equal(fits["plain"], fits["never"])
    assert error(fits["often"], fits["never"]) > 0 < error(fits["always"], fits["often"])
    with pytest.raises(augsynth.ConfigError, match=r"guided_until=1\.5"):
        augsynth.fit("flow", held, guided_until=1.5, steps=1)


def test_labels_are_exaggerated_as_asked_for(flow):
    def made(label, guidance):
        return flow.sample(32, labels=label, seed=0, guidance=guidance).x

    assert torch.equal(made(3, None), made(3, 1.5))  # as it was fitted
    # of the same noise, what another label makes is the further off
    apart = [error(made(1, guidance), made(0, guidance)) for guidance in (0.0, 1.0, 1.5, 4.0)]
    assert apart == sorted(apart) and apart[0] < apart[1] / 2 < apart[1] * 1.1 < apart[3]
    with pytest.raises(augsynth.ConfigError, match=r"guidance=-1"):
        flow.sample(2, seed=0, guidance=-1.0)


@pytest.mark.parametrize(
    ("labelled", "settings", "message"),
    [
        (False, {}, r"guidance=2\.0: .* and no labels"),
        (True, {"unlabelled": 0.0}, r"guidance=2\.0: .* unlabelled=0\.0"),
        (True, {"guidance": 0.0}, r"guidance=2\.0: .* guidance=0\.0"),
    ],
)
def test_labels_are_not_exaggerated_beyond_what_was_learnt(labelled, settings, message):
    data = list(zip(torch.rand(12, 1, 8, 8), [0, 1] * 6, strict=True)) if labelled else list(torch.rand(12, 1, 8, 8))
    gen = augsynth.fit("flow", data, steps=2, width=16, progress=False, device="cpu", **settings)
    with pytest.raises(augsynth.ConfigError, match=message):
        gen.sample(2, seed=0, guidance=2.0)


def test_augmentation_does_not_touch_what_it_says_it_does_not(held):
    from augsynth_flow.augmentation import augmented

    x = held.inputs.float() / 127.5 - 1
    same, told = augmented(x, torch.arange(64), 0.0, mirror=False)
    assert torch.equal(same, x) and not told.any()
    moved, told = augmented(x, torch.arange(64), 1.0, mirror=False)
    assert told[:, 1:].abs().min() > 0 and not told[:, 0].any() and error(moved, x) > 0
    flipped, told = augmented(x, torch.arange(64), 0.5, mirror=True)
    alone = (told[:, 0] == 1) & (told[:, 1:] == 0).all(1)
    assert alone.any() and torch.allclose(flipped[alone], x[alone].flip(-1), atol=1e-5)


def test_it_takes_out_noise(flow, held):
    x = held.inputs
    noisy = (x + 40 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 255).to(torch.uint8)
    mended = flow.restore(noisy, noise=40 / 255)
    assert mended.dtype == torch.uint8 and error(mended, x) < 0.85 * error(noisy, x)
    assert error(flow.restore(noisy, noise="auto"), x) < error(noisy, x)
    assert (flow.restore(x, noise=0.0).int() - x.int()).abs().max() <= 1


def test_it_fills_in_and_enlarges(flow, held):
    x = held.inputs[:32]
    mask = torch.zeros(8, 8, dtype=torch.bool)
    mask[2:5, 2:5] = True
    holed = torch.where(mask, torch.tensor(0, dtype=torch.uint8), x)
    filled = flow.restore(holed, mask=mask, seed=1)
    assert torch.equal(filled[..., ~mask], x[..., ~mask])
    assert error(filled, x) < 0.6 * error(holed, x)
    assert torch.equal(filled, flow.restore(holed, mask=mask, seed=1))
    small = torch.nn.functional.avg_pool2d(x.float(), 2).round().to(torch.uint8)
    large = flow.restore(small, scale=2)
    plain = torch.nn.functional.interpolate(small.float(), scale_factor=2.0)
    assert large.shape == x.shape and error(large, x) < error(plain, x)


def test_it_mends_as_a_transform_of_any_form_of_image(flow, held, tmp_path):
    flow.save(tmp_path / "flow")
    mend = augsynth.create("transform", "restore", gen=tmp_path / "flow", noise="auto")
    x = held.inputs[0]
    noisy = (x + 40 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 255).to(torch.uint8)
    mended = mend(noisy, seed=0)
    assert torch.equal(mended, flow.restore(noisy[None], noise="auto")[0]) and error(mended, x) < error(noisy, x)
    as_array = mend(noisy.movedim(0, -1).numpy(), seed=0)
    assert isinstance(as_array, np.ndarray) and np.array_equal(as_array[..., 0], mended[0].numpy())
    mask = torch.zeros(8, 8, dtype=torch.bool)
    mask[2:5, 2:5] = True
    fill = augsynth.create("transform", "restore", gen=flow, mask=mask, steps=4, draws=2)
    assert torch.equal(fill(x, seed=1)[..., ~mask], x[..., ~mask])
    assert torch.equal(fill(x, seed=1), fill(x, seed=1)) and not torch.equal(fill(x, seed=1), fill(x, seed=2))
    chain = augsynth.SyntheticDataset(held, None, ratio=0.0, transform=mend, seed=0)
    assert chain[0][0].shape == (1, 8, 8)


def test_what_a_mending_transform_refuses(flow, held):
    for given in ({}, {"noise": 0.1, "mask": torch.zeros(8, 8)}):
        with pytest.raises(augsynth.ConfigError, match="expected one of the two"):
            augsynth.create("transform", "restore", gen=flow, **given)
    with pytest.raises(augsynth.CapabilityError, match="object does not restore images"):
        augsynth.create("transform", "restore", gen=object(), noise=0.1)
    with pytest.raises(augsynth.DataError, match="image of 9×8 pixels and 1 channel, and the generator .* 8×8"):
        augsynth.create("transform", "restore", gen=flow, noise=0.1)(torch.zeros(1, 9, 8, dtype=torch.uint8), seed=0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "expected one of noise, mask and scale"),
        ({"noise": 0.1, "scale": 2}, "expected one of noise, mask and scale"),
        ({"noise": "much"}, "noise='much'"),
        ({"noise": 3.0}, "noise=3.0"),
        ({"scale": 3}, "scale=3: expected a divisor of 8×8"),
        ({"mask": torch.zeros(7, 8)}, r"mask of shape \(7, 8\): expected \(8, 8\) or \(64, 8, 8\)"),
        ({"mask": torch.zeros(8, 8), "draws": 0}, "draws=0"),
    ],
)
def test_what_cannot_be_restored(flow, held, given, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        flow.restore(held.inputs, **given)


def test_images_that_are_seen_smaller_are_not_restored():
    data = list(zip(torch.rand(12, 1, 16, 16), [0, 1] * 6, strict=True))
    gen = augsynth.fit("flow", data, steps=2, width=16, resolution=8, progress=False)
    with pytest.raises(augsynth.CapabilityError, match="fit with resolution=None"):
        gen.restore(torch.rand(2, 1, 16, 16), noise=0.1)
