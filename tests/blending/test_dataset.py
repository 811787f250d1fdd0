"""One test per promise of the contract's Blending section."""

import copy
import multiprocessing
import pickle
import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    DistributedSampler,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    random_split,
)

import augsynth
from augsynth import SyntheticDataset
from augsynth.modalities.image.tiny import TinyImages
from augsynth.recognition import check_dataset
from tests.support import quick_fit


def blend(real, source, **options):
    return SyntheticDataset(real, source, **{"ratio": 0.4, "seed": 0, **options})


def epoch_of(dataset, number=0, *, workers=0, context=None, batch_size=64, persistent=False):
    dataset.set_epoch(number)
    order = torch.Generator().manual_seed(5)
    loader = DataLoader(
        dataset, batch_size=batch_size, shuffle=True, generator=order, num_workers=workers,
        multiprocessing_context=context, persistent_workers=persistent,
    )  # fmt: skip
    batches = list(loader)
    return [torch.cat(parts) for parts in zip(*batches, strict=True)]


def equal(a, b):
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


# ---------------------------------------------------------------- drop-in


def test_length_targets_and_negative_indices(digits, vae):
    blended = blend(digits, vae)
    assert len(blended) == len(digits)
    assert blended.targets == digits.tensors[1].tolist()
    assert all(torch.equal(a, b) for a, b in zip(blended[-1], blended[len(digits) - 1], strict=True))
    for wrong in (len(digits), -len(digits) - 1):
        with pytest.raises(IndexError, match=str(wrong)):
            blended[wrong]


def test_the_ratio_is_kept_and_labels_match(digits, vae):
    blended = blend(digits, vae, provenance=True)
    rows = [blended[i] for i in range(len(blended))]
    synthetic = sum(meta["synthetic"] for _, _, meta in rows)
    assert abs(synthetic / len(rows) - 0.4) < 4 * (0.4 * 0.6 / len(rows)) ** 0.5
    for i, (x, y, meta) in enumerate(rows):
        assert y == digits[i][1] and y.dtype == digits[i][1].dtype
        assert meta["index"] == (-1 if meta["synthetic"] else i)
        assert torch.equal(x, digits[i][0]) != meta["synthetic"]


def test_replaced_samples_are_never_loaded(tiny_vae):
    real = TinyImages(32)
    blended = blend(real, tiny_vae, ratio=1.0)
    before = real.reads
    blended.__getitems__(list(range(32)))
    assert real.reads == before


def test_a_batch_is_one_forward_pass(digits, vae, monkeypatch):
    calls = []
    draw = type(vae).draw
    monkeypatch.setattr(type(vae), "draw", lambda self, *a, **k: calls.append(1) or draw(self, *a, **k))
    blended = blend(digits, vae)
    calls.clear()
    blended.__getitems__(list(range(100)))
    assert len(calls) == 1


# ---------------------------------------------------------------- determinism


@pytest.mark.parametrize(
    ("workers", "context"), [(1, "fork"), (2, "fork"), (1, "spawn"), (2, "spawn")], ids=lambda value: str(value)
)
def test_workers_fork_and_spawn_give_bit_identical_epochs(digits, vae, workers, context):
    crop = augsynth.create("transform", "torchvision")
    blended = blend(digits, vae, transform=crop)
    assert equal(epoch_of(blended, 1), epoch_of(blended, 1, workers=workers, context=context))


def test_a_sample_does_not_depend_on_its_batch(digits, vae):
    blended = blend(digits, vae, transform=augsynth.create("transform", "albumentations"))
    together = blended.__getitems__(list(range(64)))
    for i in (0, 13, 63):
        assert torch.allclose(blended[i][0], together[i][0], atol=1e-4)
    small, large = epoch_of(blended, batch_size=16), epoch_of(blended, batch_size=128)
    assert torch.allclose(small[0], large[0], atol=1e-4)


def test_epochs_and_seeds_differ_and_come_again(digits, vae):
    blended, other = blend(digits, vae), blend(digits, vae, seed=1)
    first, second = epoch_of(blended, 0), epoch_of(blended, 1)
    assert not torch.equal(first[0], second[0])
    assert not torch.equal(first[0], epoch_of(other, 0)[0])
    assert equal(first, epoch_of(blended, 0))


def test_set_epoch_reaches_persistent_workers(digits, vae):
    blended = blend(digits, vae)
    loader = DataLoader(blended, batch_size=100, num_workers=2, persistent_workers=True)
    seen = []
    for number in (0, 1):
        blended.set_epoch(number)
        seen.append(torch.cat([x for x, _ in loader]))
    expected = []
    for number in (0, 1):
        blended.set_epoch(number)
        expected.append(torch.cat([x for x, _ in DataLoader(blended, batch_size=100)]))
    assert torch.equal(seen[0], expected[0]) and torch.equal(seen[1], expected[1])


def test_without_a_seed_it_follows_torch(digits, vae):
    blended = blend(digits, vae, seed=None)
    torch.manual_seed(3)
    first = default_collate(blended.__getitems__(list(range(50))))
    torch.manual_seed(3)
    assert equal(first, default_collate(blended.__getitems__(list(range(50)))))
    assert not torch.equal(first[0], default_collate(blended.__getitems__(list(range(50))))[0])


def test_with_a_seed_no_global_rng_is_touched(digits, vae):
    blended = blend(digits, vae, transform=lambda x: x + 0.01 * torch.rand(()), real_transform=lambda x: x * 1.0)
    torch.manual_seed(0)
    state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    first = blended[3][0]
    assert torch.equal(state, torch.get_rng_state()) and (numpy_state == np.random.get_state()[1]).all()
    torch.manual_seed(99)
    assert torch.equal(first, blended[3][0]), "a transform that reads torch's RNG must find it seeded"


@pytest.mark.filterwarnings("ignore::augsynth.errors.EpochWarning")
def test_random_transforms_inside_the_dataset_are_seeded_too(tiny_vae):
    class Noisy(TinyImages):
        transform = staticmethod(lambda x: x)

        def __getitem__(self, index):
            x, y = super().__getitem__(index)
            return (x // 2 + torch.randint(0, 50, x.shape, dtype=torch.uint8)), y

    blended = blend(Noisy(), tiny_vae, ratio=0.3)
    first = blended.__getitems__(list(range(32)))
    again = blended.__getitems__(list(range(31, -1, -1)))[::-1]
    assert all(torch.equal(a[0], b[0]) for a, b in zip(first, again, strict=True))


def test_a_seeded_epoch_that_never_advances_warns_once(digits, vae):
    blended = blend(digits, vae)
    with pytest.warns(augsynth.EpochWarning, match="set_epoch") as caught:
        for _ in range(4):
            list(DataLoader(blended, batch_size=250))
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        advancing = blend(digits, vae)
        for number in range(4):
            advancing.set_epoch(number)
            list(DataLoader(advancing, batch_size=250))


# ---------------------------------------------------------------- resumption and distribution


@pytest.mark.parametrize("workers", [0, 2])
def test_resuming_mid_epoch_continues_exactly(digits, vae, workers):
    from torchdata.stateful_dataloader import StatefulDataLoader

    def loader(dataset):
        order = torch.Generator().manual_seed(1)
        return StatefulDataLoader(dataset, batch_size=50, shuffle=True, num_workers=workers, generator=order)

    whole = blend(digits, vae)
    whole.set_epoch(3)
    expected = [x for x, _ in loader(whole)]

    interrupted = blend(digits, vae)
    interrupted.set_epoch(3)
    first = loader(interrupted)
    iterator = iter(first)
    got = [next(iterator)[0] for _ in range(4)]
    state = pickle.loads(pickle.dumps((first.state_dict(), interrupted.state_dict())))
    del iterator

    resumed = blend(digits, vae)  # a new process: epoch 0 until the state is loaded
    resumed.load_state_dict(state[1])
    second = loader(resumed)
    second.load_state_dict(state[0])
    got += [x for x, _ in second]
    assert len(got) == len(expected) and all(torch.equal(a, b) for a, b in zip(got, expected, strict=True))
    assert resumed.epoch == 3


def test_a_state_of_another_seed_is_refused(digits, vae):
    with pytest.raises(augsynth.ConfigError, match="seed=0.*seed=1"):
        blend(digits, vae, seed=1).load_state_dict(blend(digits, vae).state_dict())
    for state, told in (({}, "nothing"), ({"epoch": "1", "seed": 0}, "'epoch', 'seed'"), ({"epoch": 1}, "'epoch'")):
        with pytest.raises(augsynth.ConfigError, match=f"a state with {told}: expected what state_dict"):
            blend(digits, vae).load_state_dict(state)


@pytest.mark.filterwarnings("ignore::augsynth.errors.EpochWarning")
def test_ranks_do_not_overlap_and_make_up_the_epoch(digits, vae):
    blended = blend(digits, vae, provenance=True)
    blended.set_epoch(2)
    seeds, parts = [], []
    for rank in range(3):
        sampler = DistributedSampler(blended, num_replicas=3, rank=rank, shuffle=True, drop_last=True)
        sampler.set_epoch(2)
        positions = list(sampler)
        parts.append(set(positions))
        seeds.append({m["seed"] for _, _, m in blended.__getitems__(positions) if m["synthetic"]})
    assert not parts[0] & parts[1] and not parts[1] & parts[2] and not parts[0] & parts[2]
    assert not seeds[0] & seeds[1] and not seeds[1] & seeds[2] and not seeds[0] & seeds[2]
    alone = {m["seed"] for _, _, m in blended.__getitems__(sorted(set().union(*parts))) if m["synthetic"]}
    assert alone == set().union(*seeds), "what a rank draws does not depend on the number of ranks"


# ---------------------------------------------------------------- composition


def test_subset_concat_samplers_and_split(digits, vae):
    blended = blend(digits, vae)
    subset, rest = Subset(blended, [5, 3, 9]), random_split(blended, [0.5, 0.5])[0]
    assert torch.allclose(default_collate([subset[i] for i in range(3)])[0][1], blended[3][0], atol=1e-4)
    both = ConcatDataset([blended, digits])
    assert len(both) == 2 * len(digits) and torch.equal(both[len(digits)][0], digits[0][0])
    sampler = WeightedRandomSampler(torch.ones(len(blended)), 64)
    assert sum(len(x) for x, _ in DataLoader(blended, batch_size=16, sampler=sampler)) == 64
    assert len(default_collate([rest[i] for i in range(10)])[1]) == 10


def test_nesting(digits, vae, gan):
    inner = blend(digits, vae, ratio=0.5)
    outer = blend(inner, gan, ratio=0.5, provenance=True)
    outer.set_epoch(4)
    assert inner.epoch == 4
    plugins = [meta["plugin"] for _, _, meta in outer.__getitems__(list(range(len(outer))))]
    shares = {name: plugins.count(name) / len(plugins) for name in set(plugins)}
    assert abs(shares["augsynth/gan"] - 0.5) < 0.09
    assert abs(shares["augsynth/vae"] - 0.25) < 0.09, "equal seeds must not make the same choice twice"
    assert outer.targets == digits.tensors[1].tolist()
    with pytest.raises(augsynth.ConfigError, match="outermost"):
        blend(blend(digits, vae, provenance=True), gan)


def test_blending_a_subset_of_a_dataset(digits, vae):
    part = Subset(digits, list(range(100, 200)))
    blended = blend(part, vae)
    assert blended.targets == digits.tensors[1][100:200].tolist()


def test_lightning_trains_on_it(digits, vae, tmp_path):
    augsynth.import_torchvision()  # lightning imports it, and the two builds may not match here
    import lightning

    class Model(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))

        def training_step(self, batch):
            return torch.nn.functional.cross_entropy(self.net(batch[0]), batch[1])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    class Epochs(lightning.Callback):
        seen: list = []
        batches: list = []

        def on_train_batch_start(self, trainer, module, batch, batch_idx):
            self.batches.append(batch[0])

        def on_train_epoch_start(self, trainer, module):
            blended.set_epoch(trainer.current_epoch)
            self.seen.append(blended.epoch)

    blended = blend(digits, vae)
    callback = Epochs()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, callbacks=[callback], default_root_dir=tmp_path,
        )  # fmt: skip
        trainer.fit(Model(), DataLoader(blended, batch_size=100))
    assert trainer.global_step == 10 and callback.seen == [0, 1]
    for epoch in (0, 1):  # what was prefetched belongs to the epoch, too
        blended.set_epoch(epoch)
        expected = torch.stack([x for x, _ in blended.__getitems__(list(range(500)))])
        torch.testing.assert_close(torch.cat(callback.batches[5 * epoch : 5 * epoch + 5]), expected)


def test_copies_and_pickles(digits, vae):
    blended = blend(digits, vae)
    blended.set_epoch(2)
    for other in (pickle.loads(pickle.dumps(blended)), copy.deepcopy(blended)):
        assert other.epoch == 2 and torch.equal(other[7][0], blended[7][0])
        other.set_epoch(5)
        assert blended.epoch == 2


# ---------------------------------------------------------------- ratio, mode, condition


def test_ratio_by_label_and_by_schedule(digits, vae):
    by_label = blend(digits, vae, ratio={3: 1.0, 5: 0.5}, provenance=True)
    rows = by_label.__getitems__(list(range(500)))
    share = {c: np.mean([m["synthetic"] for _, y, m in rows if y == c]) for c in range(10)}
    assert share[3] == 1.0 and 0.25 < share[5] < 0.75 and not any(share[c] for c in (0, 1, 2, 4, 6, 7, 8, 9))
    rising = blend(digits, vae, ratio=augsynth.LinearSchedule(0.0, 1.0, 4), provenance=True)
    shares = []
    for number in (0, 2, 4, 9):
        rising.set_epoch(number)
        shares.append(np.mean([m["synthetic"] for *_, m in rising.__getitems__(list(range(500)))]))
    assert shares[0] == 0 and abs(shares[1] - 0.5) < 0.1 and shares[2:] == [1.0, 1.0]


def test_a_ratio_of_zero_yields_the_very_samples(digits, vae):
    blended = blend(digits, vae, ratio=0.0)
    assert all(torch.equal(blended[i][0], digits[i][0]) for i in range(20))


def test_append_keeps_every_real_sample_and_reaches_the_ratio(digits, vae):
    blended = blend(digits, vae, ratio=0.5, mode="append", provenance=True)
    assert len(blended) == 1000
    rows = blended.__getitems__(list(range(1000)))
    assert not any(m["synthetic"] for *_, m in rows[:500]) and all(m["synthetic"] for *_, m in rows[500:])
    assert blended.targets == [int(y) for _, y, _ in rows]
    by_label = blend(digits, vae, ratio={0: 0.5}, mode="append")
    zeros = int((digits.tensors[1] == 0).sum())
    assert len(by_label) == 500 + zeros and by_label.targets[500:] == [0] * zeros


def test_vary_loads_the_sample_and_stays_near_it(digits, vae):
    blended = blend(digits, vae, ratio=1.0, mode="vary", strength=0.5, provenance=True)
    rows = blended.__getitems__(list(range(100)))
    for i, (x, y, meta) in enumerate(rows):
        assert y == digits[i][1] and meta["index"] == i and meta["synthetic"]
        assert not torch.equal(x, digits[i][0])
    exact = blend(digits, vae, ratio=1.0, mode="vary", strength=0.0)
    assert torch.allclose(exact[4][0], digits[4][0], atol=1e-5)


def test_vary_with_balance_varies_samples_of_the_wanted_class(vae, digits):
    rare = torch.cat([(digits.tensors[1] != 8).nonzero().flatten(), (digits.tensors[1] == 8).nonzero().flatten()[:3]])
    real = TensorDataset(*digits[rare])
    blended = blend(real, vae, ratio=0.5, mode="vary", condition="balance", provenance=True)
    rows = blended.__getitems__(list(range(len(real))))
    counts = torch.bincount(torch.stack([y for _, y, _ in rows]), minlength=10)
    assert counts[8] > 20
    assert all(real[m["index"]][1] == y for _, y, m in rows)


def test_balance_fills_the_rare_classes(digits, vae):
    few = [i for i, y in enumerate(digits.tensors[1].tolist()) if y not in (1, 2) or i < 40]
    real = TensorDataset(*digits[few])
    before = torch.bincount(real.tensors[1], minlength=10)
    blended = blend(real, vae, ratio=0.5, condition="balance")
    after = torch.bincount(torch.tensor(blended.targets), minlength=10)
    assert before.min() < 8 and after.min() > 25
    assert torch.stack([y for _, y in blended.__getitems__(list(range(len(real))))]).tolist() == blended.targets


def test_conditions_by_weight_by_callable_and_none(digits, vae):
    weighted = blend(digits, vae, ratio=1.0, condition={"7": 3, 1: 1})
    counts = torch.bincount(torch.tensor(weighted.targets), minlength=10)
    assert counts[7] + counts[1] == 500 and abs(counts[7] / 500 - 0.75) < 0.1
    nines = blend(digits, vae, ratio=1.0, condition=lambda labels, u: [9] * len(labels))
    assert set(nines.targets) == {9} and nines[0][1] == 9
    free = blend(digits, vae, ratio=1.0, condition=None)
    assert set(torch.stack([y for _, y in free.__getitems__(list(range(200)))]).tolist()) == set(range(10))


# ---------------------------------------------------------------- forms


@pytest.mark.parametrize("form", ["tensor", "tensor-float", "numpy-hwc", "numpy-chw", "numpy-hw", "pil"])
@pytest.mark.parametrize("structure", ["tuple", "dict", "bare"])
def test_real_and_synthetic_samples_are_alike(form, structure):
    shape = (1, 9, 9) if form == "numpy-hw" else (3, 9, 11)
    real = TinyImages(24, shape, form=form, structure=structure)
    blended = blend(real, fitted_tiny(form, shape, structure), ratio=1.0)
    made, expected = blended[0], real[0]
    assert type(made) is type(expected)
    if structure == "dict":
        assert list(made) == list(expected) and made["label"] == expected["label"]
        made, expected = made["image"], expected["image"]
    elif structure == "tuple":
        assert made[1] == expected[1]
        made, expected = made[0], expected[0]
    assert type(made) is type(expected)
    assert np.asarray(made).shape == np.asarray(expected).shape and np.asarray(made).dtype == np.asarray(expected).dtype


def test_hugging_face_datasets_through_fields():
    datasets = pytest.importorskip("datasets")
    images = [image for image, _ in TinyImages(24, (3, 8, 8), form="pil")]
    features = datasets.Features(
        {"picture": datasets.Image(), "animal": datasets.ClassLabel(names=["ant", "bee", "cat"])}
    )
    real = datasets.Dataset.from_dict({"picture": images, "animal": [i % 3 for i in range(24)]}, features=features)
    fields = {"x": "picture", "y": "animal"}
    gen = quick_fit("vae", real, steps=5, width=8, fields=fields)
    blended = blend(real, gen, ratio={"bee": 1.0}, fields=fields)
    made = blended[1]
    assert set(made) == {"picture", "animal"} and made["animal"] == 1 and made["picture"].size == (8, 8)
    assert blended.targets == [i % 3 for i in range(24)] and blended.classes == ["ant", "bee", "cat"]


def test_image_folders_find_labels_without_decoding(tmp_path, monkeypatch):
    from PIL import Image

    datasets = augsynth.import_torchvision("torchvision.datasets")
    for i, (image, label) in enumerate(TinyImages(12, (3, 8, 8), form="pil", classes=2)):
        folder = tmp_path / ["cat", "dog"][label]
        folder.mkdir(exist_ok=True)
        image.save(folder / f"{i}.png")
    real = datasets.ImageFolder(str(tmp_path))
    gen = quick_fit("vae", real, steps=5, width=8)
    opened = []
    original = Image.open
    monkeypatch.setattr(Image, "open", lambda *a, **k: opened.append(a) or original(*a, **k))
    blended = blend(real, gen, ratio={"dog": 0.5})
    assert len(opened) <= 2 and blended.targets == real.targets


def test_targets_that_are_transformed_on_the_way_are_read_right(tiny_vae):
    class Shifted(TinyImages):
        """Declares other targets than it yields."""

        def __init__(self):
            super().__init__(24)
            self.declared, self.targets_seen = [9] * 24, 0

        @property
        def labels(self):
            return self.declared

    real = Shifted()
    real.yielded, real.targets = real.targets, real.targets
    assert blend(real, tiny_vae).targets == [i % 3 for i in range(24)]


# ---------------------------------------------------------------- transforms, filters, provenance


def test_transforms_apply_to_both_or_to_one(tiny_vae):
    real = TinyImages(32, form="tensor")
    blended = blend(
        real, tiny_vae, transform=lambda x: x.float() + 1000, real_transform=lambda x: x * 0,
        synthetic_transform=lambda x: x * 0 + 7, provenance=True,
    )  # fmt: skip
    for x, _, meta in blended.__getitems__(list(range(32))):
        assert x.dtype == torch.float32 and x.unique().item() == (1007 if meta["synthetic"] else 1000)


def test_libraries_as_they_are(digits, vae):
    import albumentations

    v2 = augsynth.import_torchvision("torchvision.transforms.v2")
    transforms = {
        "albumentations": albumentations.Compose([albumentations.Affine(rotate=(-20, 20), p=1.0)]),
        "torchvision": v2.RandomRotation(20),
        "list": [v2.RandomRotation(20), augsynth.create("transform", "pillow")],
    }
    kornia = pytest.importorskip("kornia.augmentation")
    transforms["kornia"] = kornia.RandomRotation(20.0, p=1.0)
    for name, transform in transforms.items():
        blended = blend(digits, vae, transform=transform)
        first, again = blended.__getitems__(list(range(20))), blended.__getitems__(list(range(19, -1, -1)))[::-1]
        for a, b in zip(first, again, strict=True):
            assert a[0].shape == (1, 8, 8), name
            assert torch.allclose(a[0], b[0], atol=1e-3), name
        blended.set_epoch(1)
        assert not torch.allclose(first[0][0], blended[0][0]), name


def test_filters_redraw_and_report(digits, vae):
    middle = torch.stack([vae.sample(100, labels=c, seed=0).model_x.flatten(1).mean(1).median() for c in range(10)])
    brighter = [lambda batch: batch.model_x.flatten(1).mean(1) > middle[batch.classes]]
    blended = blend(digits, vae, ratio=1.0, filters=brighter, provenance=True)
    rows = blended.__getitems__(list(range(200)))
    assert all((x * 2 - 1).mean() > middle[y] - 1e-4 for x, y, _ in rows)
    assert 0.3 < blended.acceptance_rate < 0.7
    assert len({m["seed"] for *_, m in rows}) == 200
    assert torch.allclose(blended[17][0], rows[17][0], atol=1e-4), "redrawing depends on the seed alone"
    assert blend(digits, vae).acceptance_rate is None


def test_filters_judge_variations_too(digits, vae):
    def two_in_three(batch):
        return torch.tensor([row["seed"] % 3 > 0 for row in batch.meta])

    everything = blend(digits, vae, ratio=1.0, mode="vary", provenance=True)
    judged = blend(digits, vae, ratio=1.0, mode="vary", provenance=True, filters=[two_in_three])
    before, after = (blended.__getitems__(list(range(200))) for blended in (everything, judged))
    assert 0.5 < judged.acceptance_rate < 0.8 and all(meta["seed"] % 3 > 0 for *_, meta in after)
    kept = [meta["seed"] % 3 > 0 for *_, meta in before]
    assert 100 < sum(kept) < 170
    for (x, _, _), (again, _, _), same in zip(before, after, kept, strict=True):
        assert torch.allclose(x, again, atol=1e-5) == same


def test_filters_report_from_workers(digits, vae):
    blended = blend(digits, vae, ratio=1.0, filters=[lambda batch: batch.classes != 3], condition=None)
    list(DataLoader(blended, batch_size=100, num_workers=2))
    assert 0.8 < blended.acceptance_rate < 1.0


def test_filters_that_reject_everything_raise(digits, vae):
    with pytest.raises(augsynth.FilterExhaustedError, match="rejected 65 samples in a row"):
        blend(digits, vae, filters=[lambda batch: torch.zeros(len(batch), dtype=torch.bool)])


def test_provenance_leads_back_to_the_sample(digits, vae):
    blended = blend(digits, vae, provenance=True)
    batch = next(iter(DataLoader(blended, batch_size=100)))
    meta = batch[2]
    assert meta["synthetic"].dtype == torch.bool and set(meta["plugin"]) == {"", "augsynth/vae"}
    i = int(meta["synthetic"].nonzero()[0])
    again = vae.sample(seeds=[int(meta["seed"][i])], labels=[meta["condition"][i]])
    assert torch.allclose(again.x[0], batch[0][i], atol=1e-4) and meta["checkpoint"][i] == vae.checkpoint_id
    as_dict = blend(TinyImages(32, structure="dict"), fitted_tiny("tensor", (1, 8, 8), "dict"), provenance=True)
    assert set(as_dict[0]) == {"image", "label", "meta"}


@lru_cache(maxsize=32)
def fitted_tiny(form, shape, structure):
    return quick_fit("vae", TinyImages(24, shape, form=form, structure=structure), steps=5, width=8)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ratio": 1.5}, r"ratio=1.5.*\[0, 1\]"),
        ({"ratio": -0.1}, "ratio=-0.1"),
        ({"ratio": float("nan")}, "ratio=nan"),
        ({"ratio": "half"}, "ratio='half'"),
        ({"ratio": {0: 2.0}}, r"ratio\[0\]=2.0"),
        ({"ratio": lambda epoch: 3.0}, "ratio=3.0"),
        ({"ratio": {"eleven": 0.5}}, "no class 'eleven'.*0, 1, 2"),
        ({"condition": {42: 1.0}}, "no class 42.*0, 1, 2"),
        ({"condition": {1: -1.0}}, "weight"),
        ({"condition": {1: 0.0}}, "positive"),
        ({"condition": "sideways"}, "'match', 'balance'"),
        ({"condition": lambda labels, u: [1]}, "as many labels"),
        ({"mode": "mix"}, "'replace', 'append', 'vary'"),
        ({"mode": "append", "ratio": 1.0}, "endlessly"),
        ({"transform": 3}, "transform=3"),
        ({"seed": "x"}, "seed='x'"),
        ({"seed_real": "maybe"}, "seed_real"),
        ({"filters": [3]}, "not callable"),
        ({"filters": [lambda batch: torch.ones(1)]}, "expected bool"),
        ({"fields": {"x": 0, "z": 1}}, "unknown keys"),
        ({"fields": {"x": 5}}, "position"),
    ],
)
def test_bad_arguments_are_named(digits, vae, options, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        dataset = blend(digits, vae, **options)
        dataset.__getitems__(list(range(20)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filters": "confidence"}, r"'confidence' is a name; augsynth.create\('filter', 'confidence', ...\)"),
        ({"filters": ["confidence"]}, "'confidence' is a name"),
        ({"filters": torch.nn.Identity}, "Identity'> is a class"),
        ({"filters": [3]}, "filters: 3 is not callable"),
        ({"transform": "aeda"}, r"augsynth.create\('transform', 'aeda'\) makes the transform"),
        ({"transform": torch.nn.Identity}, r"is a class: pass what it makes, Identity\(...\)"),
        ({"real_transform": [lambda x: x, torch.nn.Identity]}, "real_transform=.* is a class"),
        ({"synthetic_transform": lambda x: None}, "the transform .* returned None"),
        ({"transform": [lambda x: x, print], "ratio": 0.0}, "the transform .*print.* returned None"),
    ],
)
def test_slips_in_what_is_called(digits, vae, options, message, capsys):
    with pytest.raises(augsynth.ConfigError, match=message):
        blend(digits, vae, **{"ratio": 0.5, **options}).__getitems__([0, 1, 2, 3])


def test_one_filter_is_a_list_of_one(digits, vae):
    def even(batch):
        return batch.meta.seeds % 2 == 0

    one, several = (blend(digits, vae, ratio=0.5, filters=given) for given in (even, [even]))
    for a, b in zip(one.__getitems__(range(40)), several.__getitems__(range(40)), strict=True):
        assert torch.equal(a[0], b[0])
    assert one.acceptance_rate == several.acceptance_rate < 1


@pytest.mark.parametrize("index", [slice(0, 3), 1.0, "1", None])
def test_an_index_is_a_whole_number(digits, vae, index):
    blended = blend(digits, vae)
    with pytest.raises(TypeError, match="cannot be interpreted as an integer"):
        blended[index]
    assert torch.equal(blended[torch.tensor(3)][0], blended[np.int16(3)][0])


@pytest.mark.parametrize(
    ("source", "ratio", "message"),
    [
        ("vae", 0.5, r"source='vae' is a name: fit it first, augsynth.fit\('vae', real\)"),
        (["vae"], 0.5, r"source is a list: several are given with shares, \{name: \(gen, share\)\}"),
        ({"one": torch.nn.Identity()}, None, r"sources\['one'\] is a Identity: expected \(source, share\)"),
    ],
)
def test_what_is_easily_taken_for_a_source(digits, source, ratio, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        SyntheticDataset(digits, source, ratio=ratio)


@pytest.mark.parametrize("epoch", ["a", "1", -1, 0.5, True, None, float("inf")])
def test_an_epoch_is_a_whole_number(digits, vae, epoch):
    device = augsynth.DeviceBlend(DataLoader(digits, batch_size=20), vae, ratio=0.5)
    for one in (blend(digits, vae), device):
        with pytest.raises(augsynth.ConfigError, match=f"epoch={epoch!r}: expected a whole number from 0 up"):
            one.set_epoch(epoch)
        one.set_epoch(np.int64(2))
        assert one.epoch == 2


def test_bad_datasets(vae, digits):
    with pytest.raises(augsynth.DataError, match="empty"):
        blend([], vae)
    with pytest.raises(augsynth.DataError, match="SyntheticIterableDataset"):
        blend(iter([1]), vae)
    with pytest.raises(augsynth.DataError, match="sample 0.*type float"):
        blend([(3.5, 1)], vae)
    with pytest.raises(augsynth.SpecMismatchError, match="sample 0.*type str.*fitted on image data"):
        blend([("text", 1)], vae)
    with pytest.raises(augsynth.DataError, match="known to hold the input.*fields"):
        blend([{"foo": torch.zeros(1, 8, 8)}], vae)
    with pytest.raises(augsynth.ConfigError, match="further fields.*fill"):
        blend([(torch.zeros(1, 8, 8), torch.tensor(1), "id")], vae)
    extra = [(torch.zeros(1, 8, 8), torch.tensor(i % 10), "id") for i in range(20)]
    assert blend(extra, vae, ratio=1.0, fill={2: "none"})[0][2] == "none"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("digits", "'digits' is no dataset; augsynth.open_dataset opens one"),
        (Path("photos"), r"Path\('photos'\) is no dataset; augsynth.open_dataset"),
        (DataLoader([(torch.zeros(1, 8, 8), 1)], batch_size=1), "pass the dataset that it reads, loader.dataset"),
        (
            {"train": [(torch.zeros(1, 8, 8), 1)], "test": []},
            r"a dict of 'train', 'test' is no .*\['train'\]",
        ),
        ({}, "a dict of nothing is no dataset$"),
        ((["a b", "b c", "c d"], [0, 1, 0]), r"no dataset: pass list\(zip\(x, y\)\)"),
        ((torch.rand(9, 1, 8, 8), torch.arange(9)), r"or TensorDataset\(x, y\)"),
    ],
)
def test_what_is_easily_taken_for_a_dataset(vae, given, message):
    for use in (lambda: augsynth.fit("vae", given, steps=1), lambda: blend(given, vae)):
        with pytest.raises(augsynth.DataError, match=message):
            use()


def test_tables_of_pandas_are_told_from_datasets(vae):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"text": ["a b", "b c", "c d", "d e"], "label": 0})
    for given, message in ((table, r"table.to_dict\('records'\)"), (table.text[1:], r"column.tolist\(\)")):
        for use in (augsynth.clean, lambda one: augsynth.fit("lstm", one, steps=1), lambda one: blend(one, vae)):
            with pytest.raises(augsynth.DataError, match=message):
                use(given)
    assert len(augsynth.clean(table.text, duplicates=None)) == 4


@pytest.mark.filterwarnings("ignore::augsynth.CollapseWarning")
def test_samples_by_number_and_one_by_one_are_datasets():
    samples = tuple((torch.rand(1, 8, 8), i % 2) for i in range(12))
    by_number = dict(enumerate(samples))
    one_by_one = DataLoader(samples, batch_size=None)
    made = [augsynth.fit("vae", one, steps=2, width=8, progress=False) for one in (samples, by_number, one_by_one)]
    assert len({gen.checkpoint_id for gen in made}) == 1
    for two in ((torch.rand(3, 8, 8), torch.rand(3, 8, 8)), (samples[0], samples[1]), ("one text", "and more")):
        check_dataset(two)


def test_a_generator_fitted_on_other_samples_is_refused_at_construction(digits, vae, tiny_vae):
    x, y = digits.tensors
    others = {
        "shape": TensorDataset(torch.zeros(20, 3, 8, 8), y[:20]),
        "dtype": TensorDataset((x * 255).to(torch.uint8), y),
        "layout": TensorDataset(x[:, 0], y),
        "type": [(image.numpy(), label) for image, label in digits],
        "normalise": TensorDataset(x * 10 - 5, y),
    }
    for what, real in others.items():
        with pytest.raises(augsynth.SpecMismatchError, match=what):
            blend(real, vae)
    with pytest.raises(augsynth.SpecMismatchError, match=r"does not know the classes \[11\].*0, 1, 2"):
        blend(TensorDataset(x[:40], y[:40].clone().index_fill_(0, torch.tensor([5]), 11)), vae)
    with pytest.raises(augsynth.ConfigError, match="not fitted"):
        blend(digits, type(vae)())


@pytest.mark.filterwarnings("ignore::augsynth.CollapseWarning")
def test_a_generator_without_labels_varies_labelled_samples_and_makes_none(digits):
    plain = augsynth.fit("vae", digits, labels=False, steps=2, width=8, progress=False)
    for condition in ("match", "balance", {3: 1.0}, None):
        varied = blend(digits, plain, ratio=0.5, mode="vary", condition=condition)
        expected = digits.tensors[1][:20].tolist() if condition is None else [int(y) for y in varied.targets[:20]]
        assert [int(varied[i][1]) for i in range(20)] == expected
    for condition in ("match", None):
        with pytest.raises(augsynth.SpecMismatchError, match="fitted without labels"):
            blend(digits, plain, ratio=0.5, condition=condition)
        with pytest.raises(augsynth.ConfigError, match="the stream is labelled and the generator is not conditional"):
            augsynth.SyntheticIterableDataset([digits[0]], plain, ratio=0.5, condition=condition)
    bare = blend(digits, plain, ratio=0.5, condition=None, fields={"x": 0, "y": None}, fill={1: -1})
    assert {int(bare[i][1]) == -1 for i in range(20)} == {True, False}


def test_conditional_requests_of_unlabelled_data(vae):
    real = TinyImages(24, structure="bare")
    gen = quick_fit("vae", real, steps=5, width=8)
    assert blend(real, gen, ratio=1.0)[0].shape == (1, 8, 8)
    with pytest.raises(augsynth.ConfigError, match="unlabelled"):
        blend(real, gen, condition="balance")
    with pytest.raises(augsynth.ConfigError, match="unlabelled"):
        blend(real, gen, ratio={0: 0.5})
    with pytest.raises(augsynth.ConfigError, match="fitted without labels"):
        gen.sample(2, labels=1)
    with pytest.raises(augsynth.SpecMismatchError, match="fitted without labels"):
        blend(TinyImages(24), gen)
    with pytest.raises(AttributeError, match="unlabelled"):
        blend(real, gen).targets


def test_transforms_that_end_in_different_forms_are_refused(digits, vae):
    with pytest.raises(augsynth.SpecMismatchError, match="where real and"):
        blend(digits, vae, real_transform=lambda x: x.double())
    with pytest.raises(augsynth.SpecMismatchError, match="where real and"):
        blend(digits, vae, synthetic_transform=lambda x: x[:, :4])


def test_varying_needs_the_capability(digits, gan):
    with pytest.raises(augsynth.CapabilityError, match="cannot"):
        blend(digits, gan, mode="vary")


def test_spawn_is_available_here():
    assert "spawn" in multiprocessing.get_all_start_methods()
