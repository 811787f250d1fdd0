"""Batches as arrays: what a loader gets is what it always got, by any collate_fn, and nothing but the time differs."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset, default_collate

import augsynth
from augsynth import SyntheticDataset, collate
from augsynth._gather import copied, gathered, scattered
from augsynth.blending.stacked import StackedSamples
from augsynth.datasets.arrays import ArrayDataset
from augsynth.modalities.image.tiny import TinyImages
from tests.support import quick_fit

v2 = augsynth.import_torchvision("torchvision.transforms.v2")

pytestmark = pytest.mark.filterwarnings("ignore::augsynth.errors.EpochWarning")

TINY = TinyImages(60, form="tensor-float")
X = torch.stack([x for x, _ in TINY])
Y = torch.tensor([int(y) for _, y in TINY])
LARGE = X.repeat(1, 1, 10, 10)  # 25 KB a sample


class Plain(Dataset):
    """The same samples, one by one: nobody knows that there are arrays."""

    def __init__(self, dataset):
        self.inner = dataset

    def __len__(self):
        return len(self.inner)

    def __getitem__(self, index):
        return self.inner[index]


REAL = {
    "tensors": TensorDataset(X, Y),
    "large": TensorDataset(LARGE, Y),
    "arrays": ArrayDataset(X, Y, ["a", "b", "c"]),
    "subset": Subset(TensorDataset(X, Y), range(5, 50)),
    "subset of a subset": Subset(Subset(ArrayDataset(X, Y, ["a", "b", "c"]), range(1, 58)), [3, 3, 40, *range(8, 30)]),
}


@pytest.fixture(scope="module")
def gens():
    return {name: quick_fit("vae", REAL[name], steps=5, width=8) for name in ("tensors", "large", "arrays")}


def pairs(gens, name, **options):
    """A blend over arrays, and one that knows of none."""
    known = "large" if name == "large" else "tensors" if name in ("tensors", "subset") else "arrays"
    settings = {"ratio": 0.5, "seed": 0, **options}
    return [SyntheticDataset(real, gens[known], **settings) for real in (REAL[name], Plain(REAL[name]))]


def same(a, b):
    assert type(a) is type(b) and len(a) == len(b)
    for one, other in zip(a, b, strict=True):
        assert one.shape == other.shape and one.dtype == other.dtype and torch.equal(one, other)


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize(
    "options",
    [{}, {"ratio": 0.0}, {"ratio": 1.0}, {"mode": "append"}, {"condition": "balance"}, {"ratio": {0: 0.9}}],
    ids=str,
)
def test_it_is_what_default_collate_makes_of_the_samples(gens, name, options):
    over_arrays, plain = pairs(gens, name, **options)
    for epoch in range(2):
        for one in (over_arrays, plain):
            one.set_epoch(epoch)
        for indices in ([3, 0, 7, 7, -1], list(range(len(plain))), [2]):
            batch = over_arrays.__getitems__(indices)
            assert isinstance(batch, StackedSamples) and len(batch) == len(indices)
            wanted = default_collate(plain.__getitems__(indices))
            same(collate(batch), wanted)
            same(default_collate(over_arrays.__getitems__(indices)), wanted)
            assert [type(one) for one in batch[0]] == [type(one) for one in plain[indices[0]]]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("name", ["tensors", "large"])
def test_loaders_give_the_same_with_any_number_of_workers_and_a_pool(gens, name, workers):
    with augsynth.SamplePool(gens[name], 60, seed=1) as pool:
        blended = SyntheticDataset(REAL[name], pool, ratio=0.5, seed=0)
        plain = SyntheticDataset(Plain(REAL[name]), pool, ratio=0.5, seed=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ours = list(DataLoader(blended, 7, num_workers=workers, collate_fn=collate))
        for a, b in zip(ours, DataLoader(plain, 7), strict=True):
            same(a, b)
        assert blended.stats()["samples"] == 60 and blended.stats()["synthetic"] == plain.stats()["synthetic"] > 0


@given(indices=st.lists(st.integers(-60, 59), max_size=80), ratio=st.floats(0, 1), seed=st.integers(0, 2**40))
def test_for_all_indices_and_ratios(indices, ratio, seed):
    made = [SyntheticDataset(real, VAE, ratio=ratio, seed=seed) for real in (REAL["tensors"], Plain(REAL["tensors"]))]
    a, again, b = (one.__getitems__(indices) for one in (made[0], *made))
    assert len(a) == len(b) == len(indices)
    if indices:
        wanted = default_collate(b)
        same(collate(a), wanted)
        same(default_collate(again), wanted)


VAE = quick_fit("vae", REAL["tensors"], steps=5, width=8)


def test_what_behaves_like_a_list_behaves_like_one(gens):
    over_arrays, plain = pairs(gens, "tensors")
    wanted = plain.__getitems__(range(10))

    def fresh():
        return over_arrays.__getitems__(range(10))

    for batch in (
        fresh(),
        list(fresh()),
        copy.copy(fresh()),
        pickle.loads(pickle.dumps(fresh())),
        fresh() + fresh()[:0],
    ):
        assert len(batch) == 10 and bool(batch)
        for (x, y), (other, label) in zip(batch, wanted, strict=True):
            assert torch.equal(x, other) and torch.equal(y, label)
    assert len(pickle.dumps(fresh())) < 20_000, "the arrays behind it went along"
    assert [int(y) for _, y in reversed(fresh())] == [int(y) for _, y in wanted][::-1]
    assert len(fresh()[2:5]) == 3 and torch.equal(fresh()[-1][0], wanted[-1][0])
    batch = fresh()
    batch.sort(key=lambda sample: int(sample[1]))
    assert [int(y) for _, y in batch] == sorted(int(y) for _, y in wanted)
    last = batch.pop()
    batch.append(last)
    batch.insert(0, last)
    assert len(batch) == 11 and [len(column) for column in zip(*batch, strict=True)] == [11, 11]
    batch = fresh()
    batch += [last]
    batch *= 2
    batch[1:3] = []
    assert len(batch) == 20 and collate(batch)[0].shape[0] == 20
    with pytest.raises(IndexError):
        fresh()[10]
    with pytest.raises(IndexError, match="60 is out of range for 60"):
        over_arrays.__getitems__([60])


def test_a_batch_that_was_changed_is_collated_as_it_is_now(gens):
    batch = pairs(gens, "tensors")[0].__getitems__(range(4))
    batch[0] = (torch.zeros_like(X[0]), torch.tensor(2))
    x, y = collate(batch)
    assert not x[0].any() and int(y[0]) == 2 and len(x) == 4


@pytest.mark.parametrize("name", ["tensors", "large", "arrays", "subset of a subset"])
@pytest.mark.parametrize("ratio", [0.0, 0.5, 1.0])
def test_the_stock_collate_takes_arrays_and_makes_no_samples(gens, monkeypatch, name, ratio):
    blended, plain = pairs(gens, name, ratio=ratio)
    batches = [range(i, i + 8) for i in range(0, 24, 8)]
    wanted = [default_collate(plain.__getitems__(indices)) for indices in batches]
    monkeypatch.delattr(StackedSamples, "data")
    for indices, expected in zip(batches, wanted, strict=True):
        same(default_collate(blended.__getitems__(indices)), expected)


def test_the_first_sample_can_be_looked_at_changed_and_transformed(gens):
    blended, plain = pairs(gens, "tensors")
    before, kinds = X.clone(), set()
    for start in range(12):  # real ones and synthetic ones
        samples = plain.__getitems__(range(start, 12))
        batch, wanted, (x, y) = blended.__getitems__(range(start, 12)), default_collate(samples), samples[0]
        first = batch[0]
        assert isinstance(first, tuple) and first is batch[0]
        assert torch.equal(first[0], x) and torch.equal(first[1], y)
        kinds.add(bool((x == X).flatten(1).all(1).any()))
        assert torch.equal(v2.functional.hflip(x), v2.RandomHorizontalFlip(p=1.0)(first)[0])
        same(default_collate(batch), wanted)
        first[0].zero_()
        first[1].fill_(2)
        for collated in (default_collate(batch), collate(batch), default_collate(list(batch))):
            assert not collated[0][0].any() and int(collated[1][0]) == 2
            same([column[1:] for column in collated], [column[1:] for column in wanted])
        assert type(next(iter(batch))) is tuple, "only the first of a batch of arrays has a type of its own"
    assert kinds == {True, False} and torch.equal(X, before)

    one, other = blended.__getitems__(range(5)), blended.__getitems__(range(5, 9))
    same(default_collate([one[0], other[0]]), default_collate([tuple(one[0]), tuple(other[0])]))
    for change in (lambda x, y: x.unsqueeze_(0), lambda x, y: y.unsqueeze_(0)):
        for how in (collate, default_collate):
            batch = blended.__getitems__(range(5))
            change(*batch[0])
            with pytest.raises(RuntimeError, match="equal size"):
                how(batch)


@pytest.mark.parametrize("ratio", [0.0, 0.5])
def test_changing_a_batch_in_place_changes_neither_data_nor_the_next_batch(gens, ratio):
    blended, _ = pairs(gens, "tensors", ratio=ratio)
    before = X.clone()

    def spoil(batch):
        for x, _ in batch:
            x.zero_()
        return collate(batch)

    spoilt = list(DataLoader(blended, 10, collate_fn=spoil))
    assert all(not x.any() for x, _ in spoilt) and torch.equal(X, before)
    assert all(x.any() for x, _ in DataLoader(blended, 10, collate_fn=collate))


class Negative(TensorDataset):
    def __getitem__(self, index):
        x, y = super().__getitem__(index)
        return -x, y


class Own(Plain):
    def as_arrays(self):
        return X, Y


class Halved(ArrayDataset):
    def __getitem__(self, index):
        x, y = super().__getitem__(index)
        return x / 2, y


def test_only_what_is_known_to_be_arrays_is_read_as_such(gens):
    for real in (Negative(X, Y), Halved(X, Y, ["a", "b", "c"]), [(x, y) for x, y in zip(X, Y, strict=True)]):
        blended = SyntheticDataset(real, None, ratio=0.0, seed=0)
        batch = blended.__getitems__([1, 2])
        assert not isinstance(batch, StackedSamples) and torch.equal(batch[0][0], real[1][0])
    own = SyntheticDataset(Own(ArrayDataset(X, Y, "abc")), gens["arrays"], ratio=0.5, seed=0)
    assert isinstance(own.__getitems__([1]), StackedSamples) and type(own[1][1]) is int


@pytest.mark.parametrize(
    "options",
    [{"transform": torch.neg}, {"real_transform": torch.neg}, {"synthetic_transform": torch.neg}, {"provenance": True},
     {"mode": "vary"}, {"condition": None}, {"soft_labels": lambda x: np.full((len(x), 3), 1 / 3)}],
    ids=lambda options: next(iter(options)),
)  # fmt: skip
def test_where_samples_are_changed_one_by_one_nothing_is_stacked(gens, options):
    over_arrays, plain = pairs(gens, "tensors", **options)
    batch = over_arrays.__getitems__(range(6))
    assert not isinstance(batch, StackedSamples)
    same(default_collate(batch)[:2], default_collate(plain.__getitems__(range(6)))[:2])


def test_filters_see_every_sample(gens):
    def dark(batch):
        return batch.model_x.flatten(1).mean(1) < batch.model_x.flatten(1).mean(1).median() + 0.02

    a, b = (one.__getitems__(range(30)) for one in pairs(gens, "tensors", filters=[dark]))
    assert isinstance(a, StackedSamples)
    same(collate(a), default_collate(b))


def test_a_loader_is_a_stock_one_and_gives_the_same(gens):
    blended, plain = pairs(gens, "tensors")
    made = augsynth.loader(blended, 16, num_workers=0, shuffle=True, generator=torch.Generator().manual_seed(3))
    assert type(made) is DataLoader and not made.persistent_workers
    assert getattr(made.collate_fn, "func", made.collate_fn) is collate  # a partial of it where memory can be pinned
    stock = DataLoader(plain, 16, shuffle=True, generator=torch.Generator().manual_seed(3))
    for a, b in zip(made, stock, strict=True):
        same(a, b)
    assert augsynth.loader(blended, 16, num_workers=0, collate_fn=default_collate).collate_fn is default_collate
    for wrong in ({"batch_size": 0}, {"batch_size": 2.0}):
        with pytest.raises(augsynth.ConfigError, match="batch_size"):
            augsynth.loader(blended, **wrong)
    with pytest.raises(augsynth.ConfigError, match="expected a SyntheticDataset"):
        augsynth.loader(REAL["tensors"])


@pytest.fixture(scope="module")
def large_pools(gens):
    """Pools of large samples, which are read straight into their batch."""
    with (
        augsynth.SamplePool(gens["large"], 60, seed=1) as by_epoch,
        augsynth.SamplePool(gens["large"], 60, seed=1, refresh="never") as fixed,
    ):
        yield {"epoch": by_epoch, "never": fixed}


@pytest.mark.parametrize("refresh", ["epoch", "never"])
@pytest.mark.parametrize("mode", ["replace", "append"])
def test_large_samples_of_a_pool_are_read_into_their_batch(gens, large_pools, refresh, mode):
    settings = {"ratio": 0.5, "seed": 0, "mode": mode}
    blended, plain = (
        SyntheticDataset(r, large_pools[refresh], **settings) for r in (REAL["large"], Plain(REAL["large"]))
    )
    for epoch in range(2):
        for one in (blended, plain):
            one.set_epoch(epoch)
        for indices in (range(30), [7, 7, -1, 0], [3], range(len(plain))):
            wanted = default_collate(plain.__getitems__(indices))
            for _ in range(2):  # the second is read as the first one was taken
                same(collate(blended.__getitems__(indices)), wanted)
            for _ in range(2):
                same(default_collate(blended.__getitems__(indices)), wanted)
    assert blended.stats()["synthetic"] == 4 * plain.stats()["synthetic"]


def test_a_batch_can_be_collated_twice_and_looked_at_afterwards(gens, large_pools):
    blended, plain = (
        SyntheticDataset(r, large_pools["never"], ratio=0.5, seed=0) for r in (REAL["large"], Plain(REAL["large"]))
    )
    before, wanted = LARGE.clone(), default_collate(plain.__getitems__(range(40)))
    same(collate(blended.__getitems__(range(40))), wanted)
    batch = blended.__getitems__(range(40))
    first = collate(batch)
    first[0].zero_()
    second = collate(batch)
    same(second, wanted)
    second[0].zero_()
    same(default_collate(batch), wanted)
    assert not first[0].any() and torch.equal(LARGE, before)


def test_what_a_pool_keeps_in_another_form_is_not_read_into_a_batch(gens, monkeypatch):
    monkeypatch.delattr("augsynth.blending.stacked.Columns.room")  # nor is memory taken for it
    rolled = TensorDataset(LARGE.movedim(1, -1).contiguous(), Y)  # (H, W, C)
    gen = quick_fit("vae", rolled, steps=2, width=8)
    with augsynth.SamplePool(gen, 30, seed=1) as pool:
        blended, plain = (SyntheticDataset(one, pool, ratio=0.5, seed=0) for one in (rolled, Plain(rolled)))
        for _ in range(2):
            same(collate(blended.__getitems__(range(30))), default_collate(plain.__getitems__(range(30))))
    with augsynth.SamplePool(gens["large"], 60, seed=1, refresh="continuous") as pool:
        blended = SyntheticDataset(REAL["large"], pool, ratio=0.5, seed=0)
        x, y = [collate(blended.__getitems__(range(30))) for _ in range(2)][1]
        assert x.shape == (30, *LARGE.shape[1:]) and y.shape == (30,)
    with augsynth.SamplePool(gens["large"], 60, seed=1) as pool:

        def all_pass(batch):
            return torch.ones(len(batch), dtype=torch.bool)

        blended = SyntheticDataset(REAL["large"], pool, ratio=0.5, seed=0, filters=[all_pass])
        for _ in range(2):
            collate(blended.__getitems__(range(30)))
        assert blended.acceptance_rate == 1
    blended, plain = pairs(gens, "large")  # a generator makes them
    for _ in range(2):
        same(collate(blended.__getitems__(range(30))), default_collate(plain.__getitems__(range(30))))


def _whether_shared(batch):
    x, y = collate(batch)
    return torch.tensor([x.is_shared(), y.is_shared()])


def test_workers_read_into_shared_memory(gens, large_pools):
    blended = SyntheticDataset(REAL["large"], large_pools["never"], ratio=0.5, seed=0)
    found = list(DataLoader(blended, 20, num_workers=1, collate_fn=_whether_shared))
    assert torch.stack(found).all() and len(found) == 3
    assert not _whether_shared(blended.__getitems__(range(20))).any()


def _whether_read_straight(batch):
    straight = batch._parts[3].room is not None
    default_collate(batch)
    return torch.tensor(straight)


@pytest.mark.parametrize("workers", [0, 1])
def test_from_the_second_batch_on_a_pool_is_read_straight_into_it(gens, large_pools, workers):
    blended = SyntheticDataset(REAL["large"], large_pools["never"], ratio=0.5, seed=0)
    assert [bool(one) for one in DataLoader(blended, 20, num_workers=workers, collate_fn=_whether_read_straight)] == [
        False,
        True,
        True,
    ]


def test_pinned_memory_is_written_straight_and_by_the_main_process_alone(gens, large_pools, monkeypatch):
    blended, plain = pairs(gens, "tensors")
    large = SyntheticDataset(REAL["large"], large_pools["never"], ratio=0.5, seed=0)
    wanted = default_collate(plain.__getitems__(range(30)))
    if not torch.cuda.is_available():
        same(collate(blended.__getitems__(range(30)), pin_memory=True), wanted)  # ordinary memory, and no error
    asked = []

    def pinned(shape, dtype):
        asked.append(torch.empty(shape, dtype=dtype))
        return asked[-1]

    monkeypatch.setattr("augsynth.blending.stacked.pinned", pinned)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    found = collate(blended.__getitems__(range(30)), pin_memory=True)
    same(found, wanted)
    assert [one.data_ptr() for one in found] == [one.data_ptr() for one in asked]
    collate(blended.__getitems__(range(30)))
    assert len(asked) == 2
    for _ in range(2):  # from the second batch on, the pool is read into such memory
        x, _y = collate(large.__getitems__(range(30)), pin_memory=True)
    assert x.data_ptr() == asked[-2].data_ptr() and len(asked) == 6

    monkeypatch.setattr("augsynth.blending.stacked.get_worker_info", object)  # as in a worker process
    for one in (blended, large):
        collate(one.__getitems__(range(30)), pin_memory=True)
    assert len(asked) == 6


def test_a_loader_takes_what_a_stock_one_takes(gens, monkeypatch):
    blended, plain = pairs(gens, "tensors")
    batches = [[1, 5, 7], [2, 0]]
    made = augsynth.loader(blended, num_workers=0, batch_sampler=batches)
    for a, b in zip(made, DataLoader(plain, batch_sampler=batches), strict=True):
        same(a, b)
    of_workers = {"prefetch_factor": 4, "persistent_workers": False, "timeout": 9, "multiprocessing_context": "spawn"}
    for fastest in (0, 1):  # what was measured must not decide whether it works
        monkeypatch.setattr("augsynth.blending.loader._fastest", lambda *_, n=fastest: n)
        made = augsynth.loader(blended, 16, **of_workers)
        assert (made.num_workers, made.prefetch_factor) == (fastest, 4 if fastest else None)


def test_a_loader_asks_for_pinned_memory_where_it_has_no_workers(gens):
    blended, _ = pairs(gens, "tensors")
    pins = augsynth.loader(blended, 16, num_workers=0, pin_memory=True)
    assert pins.pin_memory and pins.collate_fn.func is collate and pins.collate_fn.keywords == {"pin_memory": True}
    assert augsynth.loader(blended, 16, num_workers=2, pin_memory=True).collate_fn is collate
    assert augsynth.loader(blended, 16, num_workers=0, pin_memory=False).collate_fn is collate


def test_measuring_leaves_no_trace(gens):
    blended, _ = pairs(gens, "tensors")
    state = torch.get_rng_state()
    augsynth.loader(blended, 16)
    assert torch.equal(torch.get_rng_state(), state) and blended.stats()["samples"] == 0


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64, torch.uint8, torch.bool, torch.float16, torch.bfloat16]
)
def test_rows_of_any_dtype_are_copied(dtype):
    array = (torch.arange(60).reshape(10, 2, 3) % 2 == 0).to(dtype)
    rows = torch.tensor([9, 0, 0, 4])
    made = gathered(array, rows)
    assert made.dtype == dtype and torch.equal(made, array[rows])
    scattered(made, torch.tensor([1, 3]), array[:2])
    assert torch.equal(made, torch.stack([array[9], array[0], array[0], array[1]]))
    copied(array, torch.tensor([5, 9]), made, torch.tensor([0, 2]))
    assert torch.equal(made, array[[5, 0, 9, 1]])
    assert gathered(array, torch.tensor([], dtype=torch.int64)).shape == (0, 2, 3)


def test_subsets_with_negative_and_with_wrong_indices(gens):
    odd = SyntheticDataset(Subset(REAL["tensors"], [-1, 0, -60]), gens["tensors"], ratio=0.0, seed=0)
    same(collate(odd.__getitems__([0, 1, 2])), [X[[59, 0, 0]], Y[[59, 0, 0]]])
    short = Own(ArrayDataset(torch.cat([X, X]), torch.cat([Y, Y]), "abc"))  # as_arrays() has fewer than it says
    assert not isinstance(SyntheticDataset(short, None, ratio=0.0, seed=0).__getitems__([70]), StackedSamples)
