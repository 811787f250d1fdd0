"""`variations=n`: so many of each real sample, made once, whoever reads them."""

import pickle

import pytest
import torch
from torch.utils.data import DataLoader, Subset, TensorDataset

import augsynth
from augsynth.blending.source import Drawn
from augsynth.blending.variations import Variations
from augsynth.errors import ConfigError
from tests.modalities.test_inside import Segmented
from tests.support import quick_fit


def varied(real, gen, variations=3, **options):
    return augsynth.SyntheticDataset(
        real, gen, **{"ratio": 1.0, "mode": "vary", "seed": 0, **options}, variations=variations
    )


def all_of(dataset, epoch):
    dataset.set_epoch(epoch)
    return torch.stack([x for x, *_ in dataset.__getitems__(list(range(len(dataset))))])


@pytest.fixture
def few(digits):
    return Subset(digits, range(20))


@pytest.fixture(scope="module")
def questions():
    begun, about = ("Where is", "Who found", "When was"), ("the Nile", "a large dog", "the first king of the north")
    return [(f"{start} {what} ?", "place" if start == "Where is" else "other") for start in begun for what in about]


@pytest.fixture(scope="module")
def phrases(questions):
    return augsynth.fit("phrase_mix", questions, progress=False)


def different(dataset, epochs=24):
    """Of each real sample, how many different inputs it has over the epochs."""
    seen = torch.stack([all_of(dataset, epoch) for epoch in range(epochs)], dim=1)  # (n, epochs, ...)
    return [len(one.flatten(1).unique(dim=0)) for one in seen]


def test_each_real_sample_has_so_many(few, vae):
    assert different(varied(few, vae, 3)) == [3] * 20
    assert different(varied(few, vae, 1), 4) == [1] * 20
    assert different(varied(few, vae, None), 4) == [4] * 20


def test_they_are_made_once(few, vae, monkeypatch):
    made = []
    own = type(vae).vary
    monkeypatch.setattr(type(vae), "vary", lambda self, x, *a, **k: made.append(len(x)) or own(self, x, *a, **k))
    blended = varied(few, vae, 3)
    for epoch in range(20):
        all_of(blended, epoch)
    assert sum(made) == 60
    full = varied(few, vae, 3).make_ahead(progress=False)
    assert sum(made) == 120
    for epoch in range(3):
        assert torch.allclose(all_of(full, epoch), all_of(blended, epoch), atol=1e-5)
    assert sum(made) == 120


def test_they_are_those_that_vary_makes_by_their_seeds(few, vae):
    blended = varied(few, vae, 2, provenance=True, strength=0.5)
    for i, (x, y, meta) in enumerate(blended.__getitems__(list(range(20)))):
        assert meta["index"] == i and meta["synthetic"] and y == few[i][1] and meta["condition"] == str(int(y))
        assert meta["plugin"] == "augsynth/vae" and meta["checkpoint"] == vae.checkpoint_id
        again = vae.vary([few[i][0]], [few[i][1]], strength=0.5, seeds=[meta["seed"]])
        assert torch.allclose(x, again.x[0], atol=1e-5)


def test_their_provenance_is_that_of_variations_made_each_time(vae):
    class Own(type(vae)):
        """Not registered."""

    real = TensorDataset(torch.rand(40, 1, 8, 8), (torch.rand(40, 3) > 0.5).float())  # several classes a sample
    gen = quick_fit(Own, real, steps=5, width=8)
    kept, each = (varied(real, gen, n, provenance=True)[3][-1] for n in (2, None))
    assert kept["plugin"] == "Own" and kept["seed"] != each["seed"]
    assert {**kept, "seed": each["seed"]} == each


def test_masks_go_with_their_images():
    real = Segmented()
    blended = varied(real, quick_fit("vae", real, steps=20, width=8), 2)
    seen = [set() for _ in range(len(real))]
    for epoch in range(8):
        blended.set_epoch(epoch)
        for one, (x, mask) in zip(seen, blended.__getitems__(list(range(len(real)))), strict=True):
            one.add((x.numpy().tobytes(), mask.numpy().tobytes()))
    assert max(map(len, seen)) == 2


@pytest.mark.parametrize(("workers", "context"), [(2, "fork"), (1, "spawn")])
def test_workers_read_what_any_of_them_made(few, vae, workers, context):
    alone = varied(few, vae, 3)
    blended = varied(few, vae, 3)
    loader = DataLoader(blended, batch_size=5, num_workers=workers, multiprocessing_context=context)
    for epoch in range(3):
        blended.set_epoch(epoch)
        assert torch.allclose(torch.cat([x for x, _ in loader]), all_of(alone, epoch), atol=1e-5)
    assert bool(blended._kept._made.all())  # not a copy that went with a worker


def test_order_and_batches_do_not_matter(few, vae):
    one, other = varied(few, vae, 3), varied(few, vae, 3)
    backwards = torch.stack([one[i][0] for i in reversed(range(20))]).flip(0)
    assert torch.equal(backwards, all_of(other, 0))  # to the last bit: those of a sample are made together
    assert not torch.allclose(all_of(varied(few, vae, 3, seed=1), 0), backwards)


def test_random_reading_does_not_change_them(vae, digits):
    class Noisy(TensorDataset):
        transform = "its own"

        def __getitem__(self, i):
            x, y = super().__getitem__(i)
            return x * (1 - 0.3 * torch.rand(())), y

    real = Noisy(*digits[:20])
    one, other = varied(real, vae, 2), varied(real, vae, 2)
    first = torch.stack([all_of(one, epoch) for epoch in range(4)])
    for epoch in reversed(range(4)):
        assert torch.equal(all_of(other, epoch), first[epoch])
    assert max(different(varied(real, vae, 2), 8)) == 2


def test_filters_judge_them(few, vae):
    def even(batch):
        return torch.tensor([meta["seed"] % 2 == 0 for meta in batch.meta])

    def seeds(**options):
        blended = varied(few, vae, 3, provenance=True, **options)
        return [meta["seed"] for *_, meta in blended.__getitems__(list(range(20)))]

    assert not any(seed % 2 for seed in seeds(filters=[even])) and any(seed % 2 for seed in seeds())


def test_texts_are_kept_too(questions, phrases):
    blended = varied(questions, phrases, 2)
    seen = [set() for _ in questions]
    for epoch in range(12):
        blended.set_epoch(epoch)
        for one, (x, _) in zip(seen, blended.__getitems__(list(range(len(questions)))), strict=True):
            one.add(x)
    assert all(1 <= len(one) <= 2 for one in seen) and sum(map(len, seen)) > len(questions)


def test_too_little_shared_memory_is_told_and_each_keeps_its_own(few, vae, monkeypatch, caplog):
    monkeypatch.setattr("augsynth.pool.slots._check_room", lambda *_: (_ for _ in ()).throw(ConfigError("too little")))
    with caplog.at_level("WARNING", "augsynth"):
        blended = varied(few, vae, 2)
    assert "each worker process makes and keeps its own: too little" in caplog.text
    blended.set_epoch(1)
    read = torch.cat([x for x, _ in DataLoader(blended, batch_size=5, num_workers=2)])
    assert torch.equal(read, all_of(varied(few, vae, 2), 1))
    assert torch.equal(all_of(blended, 1), all_of(varied(few, vae, 2), 1))


def test_what_is_larger_than_any_real_sample_is_made_again(questions, phrases):
    kept = Variations(phrases, 1, 2, 0)
    turns = []

    def vary(rows, seeds):
        turns.append(len(rows))
        made = phrases.vary([questions[0][0]] * len(rows), [questions[0][1]] * len(rows), seeds=seeds)
        made.x = [text * 500 if len(turns) < 3 and i == 0 else text for i, text in enumerate(made.x)]
        return Drawn(made)

    drawn = kept.read([0, 0], torch.tensor([1, 2]), [questions[0][1]] * 2, vary)
    assert turns == [2, 1, 1] and max(map(len, drawn.inputs)) < 1000 and len(drawn.meta) == 2


def test_where_they_cannot_be(few, vae):
    with pytest.raises(ConfigError, match="they are for mode='vary', and the mode is 'replace'"):
        varied(few, vae, 2, mode="replace")
    with pytest.raises(ConfigError, match="variations=0: expected a whole number from 1 up, or None"):
        varied(few, vae, 0)
    inner = augsynth.SyntheticDataset(few, vae, ratio=0.5, seed=0)
    for real in (inner, Subset(inner, range(10))):
        with pytest.raises(ConfigError, match="the real dataset holds a SyntheticDataset"):
            varied(real, vae, 2)


def test_made_ahead_workers_need_no_generator(few, vae, monkeypatch):
    full = varied(few, vae, 2).make_ahead(progress=False)
    monkeypatch.setattr(type(vae), "vary", lambda *_, **__: pytest.fail("a worker asked the generator"))
    for epoch in range(2):
        full.set_epoch(epoch)
        read = torch.cat([x for x, _ in DataLoader(full, batch_size=5, num_workers=2)])
        assert torch.equal(read, all_of(full, epoch))


def test_make_ahead(few, vae):
    with pytest.raises(ConfigError, match="there is nothing to make ahead"):
        varied(few, vae, None).make_ahead()
    with augsynth.SamplePool(vae, 50, start=False) as pool:
        augsynth.SyntheticDataset(few, pool, ratio=0.5, seed=0).make_ahead()
        assert pool.stats()["made"] >= 50


def test_copies_in_a_pickle_make_the_same(few, vae):
    blended = varied(few, vae, 2)
    assert torch.equal(all_of(pickle.loads(pickle.dumps(blended)), 2), all_of(blended, 2))
    assert torch.equal(all_of(blended.apart(), 2), all_of(blended, 2))
