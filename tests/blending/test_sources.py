"""Several sources in one blend: each has its share, by label where asked, and a sample follows its seed alone."""

import pytest
import torch
from torch.utils.data import DataLoader

import augsynth
from augsynth import SyntheticDataset, SyntheticIterableDataset
from augsynth.blending.sources import Sources
from augsynth.modalities.image.tiny import TinyImages
from augsynth.modalities.text.tiny import TinyTexts
from augsynth.testing import checks
from tests.support import quick_fit

pytestmark = pytest.mark.filterwarnings("ignore::augsynth.errors.EpochWarning")
REAL = TinyImages(300, form="tensor-float")


@pytest.fixture(scope="module")
def gens():
    return {"vae": quick_fit("vae", REAL, steps=5, width=8), "gan": quick_fit("gan", REAL, steps=5, width=8)}


@pytest.fixture(scope="module")
def recorded(gens, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept") / "recording"
    return augsynth.recorded(augsynth.record(gens["gan"], 60, folder, progress=False))


def blend(sources, **options):
    return SyntheticDataset(REAL, sources, **{"seed": 0, "provenance": True, **options})


def plugins_of(blended, indices=range(300)):
    return [meta["plugin"] for _, _, meta in (blended[i] for i in indices)]


@pytest.mark.parametrize("check", checks("source"), ids=lambda check: check.__name__)
def test_the_suite_of_sources(check, gens):
    check(Sources({"a": (gens["vae"], 0.2), "b": (gens["gan"], 0.1)}))


def test_each_has_its_share_and_says_so(gens, recorded):
    blended = blend({"vae": (gens["vae"], 0.3), "gan": (gens["gan"], 0.2), "kept": (recorded, 0.1)})
    found = [name for epoch in range(4) for name in (blended.set_epoch(epoch), *plugins_of(blended))[1:]]
    for name, share in (("augsynth/vae", 0.3), ("augsynth/gan", 0.2), ("recorded augsynth/gan", 0.1), ("", 0.4)):
        assert abs(found.count(name) / len(found) - share) < 0.05, name
    assert blended.ratio == pytest.approx(0.6) and "vae + gan + kept" in repr(blended)


def test_shares_by_label(gens):
    blended = blend({"vae": (gens["vae"], {0: 1.0}), "gan": (gens["gan"], {1: 0.5, "2": 0.5})})
    found = {}
    for i, name in enumerate(plugins_of(blended)):
        found.setdefault(int(REAL[i][1]), []).append(name)
    assert set(found[0]) == {"augsynth/vae"}
    for label in (1, 2):
        assert set(found[label]) == {"", "augsynth/gan"} and 0.3 < found[label].count("") / 100 < 0.7


def test_a_class_without_a_share_may_be_asked_for_all_the_same(gens):
    sources = Sources({"vae": (gens["vae"], {0: 0.5}), "gan": (gens["gan"], {0: 0.5, 1: 0.3})})
    made = sources.sample(labels=[2] * 60, seed=0)
    assert torch.as_tensor(made.y).tolist() == [2] * 60
    assert {one["plugin"] for one in made.meta} == {"augsynth/vae", "augsynth/gan"}


def test_a_sample_follows_its_seed_alone(gens, recorded):
    sources = {"vae": (gens["vae"], 0.4), "kept": (recorded, 0.4)}
    one_by_one = [blend(sources)[i] for i in range(40)]
    batch = blend(sources).__getitems__(range(40))
    other = blend({"vae": (gens["vae"], 0.4), "kept": (recorded, 0.4)}).__getitems__([39, 3, 17])
    alike = [*zip(one_by_one, batch, strict=True), *zip([batch[i] for i in (39, 3, 17)], other, strict=True)]
    for (x, y, meta), (again, label, about) in alike:
        assert torch.allclose(x, again, atol=2e-4) and int(y) == int(label) and meta == about
    for workers in (0, 2):
        made = SyntheticDataset(REAL, sources, seed=0)
        x, y = next(iter(DataLoader(made, 40, num_workers=workers, collate_fn=augsynth.collate)))
        torch.testing.assert_close(x, torch.stack([x for x, _, _ in batch]), atol=2e-4, rtol=0)
        assert y.tolist() == [int(y) for _, y, _ in batch]


def test_pools_among_them_hear_of_the_epoch(gens):
    with augsynth.SamplePool(gens["vae"], 60, seed=1) as pool:
        blended = blend({"pool": (pool, 0.5), "gan": (gens["gan"], 0.2)})
        first = [blended[i][2]["seed"] for i in range(60)]
        blended.set_epoch(1)
        second = [blended[i][2]["seed"] for i in range(60)]
        assert first != second and {"augsynth/vae", "augsynth/gan"} <= set(plugins_of(blended, range(60)))


def test_streams_and_texts():
    texts = TinyTexts(48)
    gens = [quick_fit("lstm", texts, steps=20, seed=seed) for seed in range(2)]
    stream = SyntheticIterableDataset([texts[i] for i in range(48)], {"a": (gens[0], 0.4), "b": (gens[1], 0.4)}, seed=0)
    made = list(stream)
    assert len(made) == 48 and all(isinstance(x, str) for x, _ in made)
    assert made == list(stream) and [y for _, y in made] == [texts[i][1] for i in range(48)]


def test_filters_and_other_conditions(gens):
    sources = {"vae": (gens["vae"], 0.3), "gan": (gens["gan"], 0.3)}
    blended = blend(sources, condition=None, filters=[lambda batch: torch.ones(len(batch), dtype=torch.bool)])
    assert {"augsynth/vae", "augsynth/gan"} <= set(plugins_of(blended)) and blended.acceptance_rate == 1.0
    assert len(blend(sources, mode="append")) == 750
    blended.ratio_scale = 0.0
    assert set(plugins_of(blended)) == {""}


@pytest.mark.parametrize(
    ("sources", "options", "error", "message"),
    [
        (lambda g: {}, {}, augsynth.ConfigError, "at least one"),
        (lambda g: {"vae": g["vae"]}, {}, augsynth.ConfigError, r"expected \(source, share\)"),
        (lambda g: {"vae": (g["vae"], 1.5)}, {}, augsynth.ConfigError, "share of 'vae'=1.5"),
        (lambda g: {"a": (g["vae"], 0.7), "b": (g["gan"], 0.6)}, {}, augsynth.ConfigError, "add up to 1.3"),
        (lambda g: {"a": (g["vae"], {0: 0.7}), "b": (g["gan"], 0.6)}, {}, augsynth.ConfigError, "add up to 1.3"),
        (lambda g: {"a": (g["vae"], {7: 0.7})}, {}, augsynth.UnknownLabelError, "no class 7"),
        (lambda g: {"a": (g["vae"], 0.5)}, {"ratio": 0.5}, augsynth.ConfigError, "leave it out"),
        (lambda g: g["vae"], {}, augsynth.ConfigError, "ratio is missing"),
        (lambda g: {"a": (g["vae"], 0.5)}, {"mode": "vary"}, augsynth.CapabilityError, "a cannot"),
        (lambda g: {"a": (augsynth.create("generator", "augsynth/vae"), 0.5)}, {}, augsynth.NotFittedError, "'a'"),
    ],
)
def test_bad_input_is_named(gens, sources, options, error, message):
    with pytest.raises(error, match=message):
        blend(sources(gens), **options)


def test_sources_that_disagree_are_named(gens, tmp_path):
    small = quick_fit("vae", TinyImages(30, form="tensor-float", shape=(1, 12, 12)), steps=2, width=8)
    with pytest.raises(augsynth.SpecMismatchError, match="the source 'small' are not like those of 'vae'"):
        blend({"vae": (gens["vae"], 0.1), "small": (small, 0.1)})
    two = quick_fit("vae", [one for one in (REAL[i] for i in range(90)) if int(one[1]) < 2], steps=2, width=8)
    with pytest.raises(augsynth.SpecMismatchError, match="the labels of two sources differ"):
        blend({"vae": (gens["vae"], 0.1), "two": (two, 0.1)})
    half = augsynth.recorded(augsynth.record(gens["vae"], 8, tmp_path / "half", labels=[0, 1] * 4, progress=False))
    with pytest.raises(augsynth.ConfigError, match="'half' holds no sample of class '2'"):
        blend({"vae": (gens["vae"], 0.1), "half": (half, 0.1)})
    assert blend({"vae": (gens["vae"], 0.1), "half": (half, {0: 0.2, 1: 0.2})})[0]
