"""The blend on the training device."""

import copy

import pytest
import torch
from torch.utils.data import DataLoader

import augsynth
from augsynth.blending.device_draws import EpochDraws
from augsynth.blending.graphs import GraphedDraw
from augsynth.modalities.image.tiny import TinyImages
from augsynth.modalities.text.tiny import TinyTexts
from tests.support import quick_fit

DATA = TinyImages(96, form="tensor-float")


@pytest.fixture(scope="module")
def gen():
    return quick_fit("vae", DATA, steps=10)


def loader(data=DATA, **options):
    return DataLoader(data, batch_size=32, **options)


def blended(gen, ratio=0.5, data=DATA, **options):
    return list(augsynth.DeviceBlend(loader(data), gen, ratio, **{"seed": 0, **options}))


def test_it_yields_what_the_loader_yields(gen):
    for structure in ("tuple", "dict"):
        data = TinyImages(96, form="tensor-float", structure=structure)
        own = augsynth.DeviceBlend(loader(data), gen, 0.5, seed=0)
        assert len(own) == 3
        for real, made in zip(loader(data), own, strict=True):
            a, b = (tuple(one.values()) if structure == "dict" else tuple(one) for one in (real, made))
            assert type(real) is type(made) and [t.shape for t in a] == [t.shape for t in b]
            assert [t.dtype for t in a] == [t.dtype for t in b] and torch.equal(a[1], b[1]), "labels are matched"
            changed = (a[0] != b[0]).flatten(1).any(1)
            assert int(changed.sum()) == 16


def test_rows_are_the_generators(gen):
    batch = blended(gen, provenance=True)[1]
    x, y, meta = batch
    row = next(i for i, one in enumerate(meta) if one["synthetic"])
    again = gen.sample(seeds=[meta[row]["seed"]], labels=[meta[row]["condition"]])
    torch.testing.assert_close(again.x[0], x[row], atol=2e-5, rtol=0)
    assert str(int(y[row])) == meta[row]["condition"]
    assert sum(one["synthetic"] for one in meta) == 16


def test_seed_epoch_and_rank_decide(gen):
    def images(**options):
        return torch.cat([x for x, _ in augsynth.DeviceBlend(loader(), gen, 0.5, **options)])

    assert torch.equal(images(seed=1), images(seed=1))
    assert not torch.equal(images(seed=1), images(seed=2))
    assert not torch.equal(images(seed=1, rank=0), images(seed=1, rank=1))
    own = augsynth.DeviceBlend(loader(), gen, 0.5, seed=1)
    first = torch.cat([x for x, _ in own])
    own.set_epoch(1)
    assert not torch.equal(first, torch.cat([x for x, _ in own]))
    torch.manual_seed(0)
    a = images(seed=None)
    torch.manual_seed(0)
    assert torch.equal(a, images(seed=None)) and not torch.equal(a, images(seed=None))


def test_the_share_is_exact_but_for_rounding(gen):
    counts = []
    for seed in range(60):
        rows = blended(gen, 0.11, seed=seed, provenance=True)[0][2]
        counts.append(sum(one["synthetic"] for one in rows))
    assert set(counts) == {3, 4} and abs(sum(counts) / 60 - 0.11 * 32) < 0.2
    assert blended(gen, 0.0)[0][0].equal(next(iter(loader()))[0])


def test_conditions(gen):
    for condition, allowed in (({"1": 1.0}, {1}), (lambda labels, u: [2] * len(labels), {2}), ("balance", {0, 1, 2})):
        rows = [m for *_, meta in blended(gen, condition=condition, provenance=True) for m in meta if m["synthetic"]]
        assert {int(m["condition"]) for m in rows} == allowed
    per_class = [m for *_, meta in blended(gen, {0: 1.0}, provenance=True) for m in meta if m["synthetic"]]
    assert {m["condition"] for m in per_class} == {"0"} and len(per_class) == 32
    growing = augsynth.DeviceBlend(loader(), gen, augsynth.LinearSchedule(0.0, 1.0, epochs=2), seed=0)
    assert next(iter(growing))[0].equal(next(iter(loader()))[0])


def test_soft_labels(gen):
    _, y = blended(gen, soft_labels=True)[0]
    assert y.shape == (32, 3) and y.dtype == torch.float32 and torch.equal(y.argmax(1), next(iter(loader()))[1])


@pytest.mark.parametrize("pairs", ["same", "different"])
@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
def test_torchvision_mixes_real_with_synthetic(gen, pairs, name):
    v2 = augsynth.import_torchvision("torchvision.transforms.v2")
    mix = getattr(v2, name)(num_classes=3)
    real = next(iter(loader()))
    x, y = blended(gen, 0.5, pairs=pairs, batch_transform=mix)[0]
    assert x.shape == real[0].shape and y.shape == (32, 3) and torch.allclose(y.sum(1), torch.ones(32))
    alone = blended(gen, 0.5, pairs=pairs, provenance=True)[0]
    assert [m["synthetic"] for m in alone[2]] == [False, True] * 16
    labels = alone[1].tolist()
    assert all((labels[i] == labels[i - 1]) == (pairs == "same") for i in range(1, 32, 2))
    assert torch.equal(x, blended(gen, 0.5, pairs=pairs, batch_transform=mix)[0][0]), "seeded"


def test_kornia_on_the_device(gen):
    augmentation = pytest.importorskip("kornia.augmentation")
    flip = augmentation.RandomAffine(degrees=20.0, p=1.0)
    before = torch.get_rng_state()
    batches = [(torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.arange(8) % 3)]
    a, b, plain = (
        next(iter(augsynth.DeviceBlend(batches, gen, 0.5, seed=0, transform=one)))[0] for one in (flip, flip, None)
    )
    assert torch.equal(a, b) and not torch.equal(a, plain)
    assert torch.equal(before, torch.get_rng_state()), "a global RNG was moved"


def test_transform_plugins_get_whole_batches(gen):
    kornia = augsynth.create("transform", "kornia", transforms={"name": "RandomHorizontalFlip", "p": 0.5})
    plain, flipped, again = (blended(gen, transform=one)[0][0] for one in (None, kornia, kornia))
    turned = [torch.allclose(a.flip(-1), b) and not torch.allclose(a, b) for a, b in zip(plain, flipped, strict=True)]
    kept = [torch.allclose(a, b) for a, b in zip(plain, flipped, strict=True)]
    assert all(t or k for t, k in zip(turned, kept, strict=True)) and 5 < sum(turned) < 27
    assert torch.equal(flipped, again)
    crops = augsynth.create("transform", "torchvision")
    assert blended(gen, transform=crops)[0][0].shape == plain.shape


def test_the_sampler_and_the_dataset_hear_of_the_epoch(gen):
    inner = augsynth.SyntheticDataset(DATA, gen, ratio=0.1, seed=0)
    sampler = torch.utils.data.DistributedSampler(inner, num_replicas=2, rank=0, seed=0)
    own = augsynth.DeviceBlend(DataLoader(inner, batch_size=8, sampler=sampler), gen, 0.5, seed=0)
    own.set_epoch(3)
    assert inner.epoch == 3 and sampler.epoch == 3 and len(own) == 6 == len(list(own))


def test_the_loaders_own_tensors_stay_as_they_are(gen):
    batches = [(torch.rand(8, 1, 8, 8), torch.arange(8) % 3)]
    copy = batches[0][0].clone()
    (made,) = augsynth.DeviceBlend(batches, gen, 0.5, seed=0)
    assert torch.equal(copy, batches[0][0]) and not torch.equal(made[0], copy)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ratio": 1.5}, "ratio=1.5"),
        ({"pairs": "any"}, "pairs='any'"),
        ({"pairs": "same", "condition": "balance"}, "sets the condition itself"),
        ({"transform": 3}, "transform=3"),
        ({"condition": "rare"}, "condition='rare'"),
        ({"temperature": -1}, "temperature=-1"),
        ({"loader": 3}, "loader of type int"),
    ],
)
def test_bad_arguments_are_named(gen, options, message):
    arguments = {"loader": loader(), "ratio": 0.5, **options}
    with pytest.raises(augsynth.ConfigError, match=message):
        augsynth.DeviceBlend(arguments.pop("loader"), gen, arguments.pop("ratio"), **arguments)


def test_a_batch_transform_of_floats_says_what_it_has_of_integers():
    data = TinyImages(96, form="tensor")
    mix = augsynth.import_torchvision("torchvision.transforms.v2").MixUp(num_classes=3)
    options = {"pairs": "same", "batch_transform": mix}
    with pytest.raises(augsynth.DataError, match=r"inputs of torch.uint8: .*transform=v2.ToDtype\(torch.float32"):
        blended(quick_fit("vae", data, steps=1), data=data, **options)


def test_what_does_not_fit_is_said_by_the_first_batch(gen):
    with pytest.raises(augsynth.SpecMismatchError, match=r"float32 \(32, 3, 8, 8\).*float32 \(n, 1, 8, 8\)"):
        blended(gen, data=TinyImages(32, (3, 8, 8), form="tensor-float"))
    with pytest.raises(augsynth.SpecMismatchError, match="batches have none"):
        blended(gen, data=TinyImages(32, form="tensor-float", structure="bare"))
    with pytest.raises(augsynth.ConfigError, match="DeviceBlend is for tensors"):
        augsynth.DeviceBlend(loader(), quick_fit("lstm", TinyTexts(12), steps=1), 0.5)


def test_samples_that_are_not_finite_are_refused(gen):
    broken = quick_fit("vae", DATA, steps=1)
    own = augsynth.DeviceBlend(loader(), broken, 0.5, seed=0)
    with torch.no_grad():
        broken.decoder.stem.weight.fill_(float("nan"))
    with pytest.raises(augsynth.BrokenPluginError, match="NaN or infinite"):
        list(own)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_the_batches_are_those_of_the_cpu(gen, tmp_path):
    there = augsynth.load(gen.save(tmp_path / "model"), device="cuda")
    for graphs in (False, True):
        for (a, y), (b, z) in zip(blended(gen), blended(there, cuda_graphs=graphs), strict=True):
            assert b.is_cuda and torch.equal(y, z.cpu())
            torch.testing.assert_close(a, b.cpu(), atol=2e-4, rtol=0)


def test_without_a_gpu_cuda_graphs_change_nothing(gen):
    for (a, _), (b, _) in zip(blended(gen), blended(gen, cuda_graphs=True), strict=True):
        assert torch.equal(a, b)


def test_what_is_drawn_for_a_batch_does_not_depend_on_where_one_began():
    whole, late = EpochDraws(3, 1, 2), EpochDraws(3, 1, 2)
    every = torch.arange(9)
    ahead = [whole.of(i, 9) for i in range(40)]
    for index in (35, 36, 2):
        own = late.of(index, 9)
        late.of(0, 4)  # a batch of another size in between
        assert torch.equal(own.rows, ahead[index].rows) and own.transform == ahead[index].transform
        assert torch.equal(own.seeds(every), ahead[index].seeds(every))
        assert torch.equal(own.classes(every), ahead[index].classes(every))
    assert not torch.equal(ahead[0].seeds(every), EpochDraws(3, 1, 3).of(0, 9).seeds(every))


def test_a_graph_is_captured_for_a_size_and_anew_when_weights_change(gen, monkeypatch):
    own, sizes = copy.deepcopy(gen), []

    class Graph:
        def replay(self):
            made.copy_(torch.arange(len(made))[:, None, None, None] + static[1][:, None, None, None])

    def captured(self, classes, seeds):
        nonlocal static, made
        sizes.append(len(seeds))
        static, made = (classes, seeds), torch.zeros(len(seeds), 1, 8, 8)
        return Graph(), classes, seeds, made

    static, made = (), torch.zeros(0)
    monkeypatch.setattr(GraphedDraw, "_captured", captured)
    monkeypatch.setattr(type(own), "device", property(lambda self: torch.device("cuda")))
    draw = GraphedDraw(own, {})
    for n in (16, 9, 30, 25):
        got = draw(torch.zeros(n, dtype=torch.int64), torch.full((n,), 7))
        if n in (9, 30):
            assert got.shape[0] == n and torch.equal(got[:, 0, 0, 0], torch.arange(n) + 7.0)
    assert sizes == [16, 32], "requests of up to 16, and of up to 32"
    with torch.no_grad():
        next(own.parameters()).add_(1.0)
    draw(torch.zeros(9, dtype=torch.int64), torch.full((9,), 7))
    assert sizes == [16, 32, 16]
