"""Filters that know real data: what they reject, in a blend, and with soft labels."""

import pytest
import torch
from torch.utils.data import DataLoader

import augsynth
from augsynth.modalities.image.tiny import TinyImages
from augsynth.modalities.text.tiny import TinyTexts
from tests.support import quick_fit

REAL = TinyImages(90, form="tensor-float")


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def judge():
    return augsynth.Judge(REAL, steps=200)


def batch(x, classes=None, seeds=None):
    meta = [{"seed": i} for i in (seeds or range(len(x)))]
    return augsynth.SampleBatch(x, None, meta, x, None if classes is None else torch.tensor(classes))


def in_model_form(data):
    return torch.stack([data[i][0] * 2 - 1 for i in range(len(data))])


FRESH = in_model_form(TinyImages(60, form="tensor-float", seed=5))
NOISE = torch.rand(60, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_density_passes_real_samples_and_rejects_noise(judge):
    density = augsynth.create("filter", "density", real=judge)
    assert density(batch(FRESH)).float().mean() > 0.8 and not density(batch(NOISE)).any()


def test_novelty_rejects_copies(judge):
    novelty = augsynth.create("filter", "novelty", real=judge)
    copies = in_model_form(REAL)
    assert not novelty(batch(copies)).any() and not novelty(batch(copies + 0.002)).any()
    assert novelty(batch(FRESH)).float().mean() > 0.8


def test_confidence_is_of_the_label_asked_for(judge):
    confidence = augsynth.create("filter", "confidence", real=judge, threshold=0.8)
    right = [i % 3 for i in range(60)]
    assert confidence(batch(FRESH, right)).all()
    assert not confidence(batch(FRESH, [(c + 1) % 3 for c in right])).any()


def test_diversity_thins_out_what_is_made_too_often(judge):
    class Favourite:
        """Half of the samples are one and the same."""

        def sample(self, n, *, seed):
            generator = torch.Generator().manual_seed(seed)
            x = FRESH[torch.randint(60, (n,), generator=generator)].clone()
            x[::2] = FRESH[0]
            return augsynth.SampleBatch(None, None, [], x)

    diversity = augsynth.create("filter", "diversity", real=judge, gen=Favourite())
    often, rarely = diversity(batch(FRESH[:1].expand(300, -1, -1, -1))), diversity(batch(FRESH[20:].repeat(8, 1, 1, 1)))
    assert often.float().mean() < 0.4 < 0.6 < rarely.float().mean()


def test_texts_are_judged_too():
    data = TinyTexts(60)
    texts = [data[i][0] for i in range(60)]
    judge = augsynth.Judge(data)
    novelty = augsynth.create("filter", "novelty", real=judge, quantile=0.0)
    assert not novelty(batch(texts[:5])).any() and novelty(batch(["entirely new words here", "so are these"])).all()
    said = judge.probabilities(texts)
    assert (said.argmax(1) == torch.tensor([i % 3 for i in range(60)])).all()
    with pytest.raises(augsynth.ConfigError, match="labelled data"):
        augsynth.Judge(texts).probabilities(texts)


def test_in_a_blend_with_workers_the_samples_stay_a_function_of_their_seed(judge):
    gen = quick_fit("vae", REAL, steps=400)
    filters = [
        augsynth.create("filter", "confidence", real=judge, threshold=0.2),
        augsynth.create("filter", "diversity", real=judge, gen=gen),
    ]
    made = []
    for workers in (0, 2):
        blended = augsynth.SyntheticDataset(REAL, gen, ratio=0.5, filters=filters, seed=0)
        made.append(torch.cat([x for x, _ in DataLoader(blended, batch_size=30, num_workers=workers)]))
        assert 0 < blended.acceptance_rate < 1
    assert torch.allclose(*made, atol=1e-5)


def test_soft_labels_are_probabilities_for_both_kinds(judge):
    gen = quick_fit("vae", REAL, steps=60)
    options = {"ratio": 0.5, "seed": 0, "soft_labels": judge.probabilities_of, "provenance": True}
    blended = augsynth.SyntheticDataset(REAL, gen, **options)
    for x, y, meta in DataLoader(blended, batch_size=30):
        assert y.shape == (30, 3) and y.dtype == torch.float32 and torch.allclose(y.sum(1), torch.ones(30))
        hard = (y.max(1).values == 1).logical_and((y == 0).sum(1) == 2)
        assert hard[~meta["synthetic"]].all()
        torch.nn.functional.cross_entropy(x.flatten(1)[:, :3], y)
    assert blended.targets == REAL.targets
    model = augsynth.uplift(
        REAL,
        TinyImages(60, form="tensor-float", seed=1),
        {"a": REAL, "b": blended_of(gen, judge)},
        seeds=2,
        steps=10,
        jobs=1,
        progress=False,
    )
    assert model.arms["b"].mean > 0.3


def blended_of(gen, judge):
    return lambda seed: augsynth.SyntheticDataset(REAL, gen, ratio=0.5, seed=seed, soft_labels=judge.probabilities_of)


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("density", {}, "real is missing"),
        ("density", {"k": 90}, "k=90"),
        ("novelty", {"quantile": 1.0}, "quantile=1.0"),
        ("diversity", {"gen": 3}, "gen=3: expected the generator"),
        ("confidence", {"classifier": print}, "either real"),
        ("confidence", {"threshold": 0}, "threshold=0"),
    ],
)
def test_bad_settings_are_named(judge, name, config, message):
    config = {**config} if message == "real is missing" else {"real": judge, **config}
    with pytest.raises(augsynth.ConfigError, match=message):
        augsynth.create("filter", name, **config)


@pytest.mark.parametrize(
    ("said", "message"), [(3, "soft_labels=3"), (lambda xs: torch.ones(len(xs), 2), r"shape \(1, 2\) for 1 inputs")]
)
def test_bad_soft_labels_are_named(said, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        augsynth.SyntheticDataset(REAL, quick_fit("vae", REAL, steps=5), ratio=0.5, soft_labels=said)
