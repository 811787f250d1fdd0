"""Streams that deal themselves out, and streams that go on where they were."""

import itertools
import json
import warnings
from collections import Counter

import datasets
import pytest
import torch
import webdataset
from datasets.distributed import split_dataset_by_node
from torch.utils.data import DataLoader, IterableDataset
from torchdata.stateful_dataloader import StatefulDataLoader

import augsynth
from augsynth import SyntheticIterableDataset
from tests.blending import two_ranks
from tests.support import once, torchrun

N = 96


@pytest.fixture(scope="module")
def table(digits):
    x, y = zip(*(digits[i] for i in range(N)), strict=True)
    rows = {"x": [one.tolist() for one in x], "y": [int(one) for one in y], "number": list(range(N))}
    return datasets.Dataset.from_dict(rows, features=datasets.Features({
        "x": datasets.Array3D((1, 8, 8), "float32"), "y": datasets.Value("int64"), "number": datasets.Value("int64"),
    })).with_format("torch")  # fmt: skip


def blend(stream, vae, **options):
    own = {"ratio": 0.4, "seed": 3, "provenance": True, "buffer_size": 16, "fill": {"number": torch.tensor(-1)}}
    return SyntheticIterableDataset(stream, vae, **{**own, **options})


def told(sample):
    """What is in a sample, and where it is from."""
    return int(sample["number"]), int(sample["meta"]["seed"]), int(sample["meta"]["index"])


def read(dataset, workers=0):
    return [told(one) for one in DataLoader(dataset, batch_size=None, num_workers=workers)]


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
def test_a_hugging_face_stream_is_dealt_out_once(table, vae, workers):
    found = read(blend(table.to_iterable_dataset(num_shards=4), vae), workers)
    assert len(found) == N, "nobody else dealt out what datasets had dealt out"
    real = [number for number, *_ in found if number >= 0]
    made = [seed for number, seed, _ in found if number < 0]
    assert len(set(real)) == len(real) and len(set(made)) == len(made) > 20, "no sample comes twice"


def test_parts_of_a_stream_that_deals_itself_out_make_samples_of_their_own(table, vae):
    parts = [split_dataset_by_node(table.to_iterable_dataset(num_shards=4), rank, 2) for rank in (0, 1)]
    found = [one for part in parts for one in read(blend(part, vae), 2)]
    seeds = Counter(seed for number, seed, _ in found if number < 0)
    assert len(found) == N and len(seeds) > 20 and max(seeds.values()) == 1
    assert sorted(number for number, *_ in found if number >= 0) == sorted({n for n, *_ in found if n >= 0})


def test_said_in_so_many_words(digits, vae):
    class Sharded(IterableDataset):
        def __iter__(self):
            info = torch.utils.data.get_worker_info()
            return (digits[i] for i in range(info.id if info else 0, N, info.num_workers if info else 1))

    made = list(DataLoader(blend(Sharded(), vae, sharded=True, fill={}), batch_size=None, num_workers=2))
    assert len(made) == N and sorted(int(m["seed"]) for *_, m in made if m["synthetic"]) == sorted(
        {int(m["seed"]) for *_, m in made if m["synthetic"]}
    )
    made = list(DataLoader(blend(Sharded(), vae, sharded=False, fill={}), batch_size=None, num_workers=2))
    assert len(made) == N / 2, "dealt out twice, as was asked for"


def test_a_blend_of_a_blend_is_dealt_out_once(digits, vae):
    inner = SyntheticIterableDataset([digits[i] for i in range(N)], vae, ratio=0.3, seed=0)
    alone, dealt = (
        list(DataLoader(blend(inner, vae, fill={}), batch_size=None, num_workers=workers)) for workers in (0, 2)
    )
    assert len(alone) == len(dealt) == N
    assert sorted(int(y) for _, y, _ in alone) == sorted(int(y) for _, y, _ in dealt)


def test_a_webdataset_is_dealt_out_once(digits, vae, tmp_path):
    for shard in range(4):
        with webdataset.TarWriter(str(tmp_path / f"{shard}.tar")) as out:
            for i in range(shard * 24, shard * 24 + 24):
                out.write({"__key__": f"{i:03}", "x.pth": digits[i][0], "y.cls": int(digits[i][1])})
    shards = sorted(map(str, tmp_path.glob("*.tar")))
    stream = webdataset.WebDataset(shards, shardshuffle=False).decode().to_tuple("x.pth", "y.cls")
    for workers in (0, 2):
        made = list(DataLoader(blend(stream, vae, fill={}), batch_size=None, num_workers=workers))
        assert len(made) == N
        seeds = [int(m["seed"]) for *_, m in made if m["synthetic"]]
        assert len(seeds) == len(set(seeds)) > 20


class StreamingDataset(IterableDataset):
    """As MosaicML's: dealt out to workers by itself, indexed, and not to be begun in a process that has workers."""

    __module__ = "streaming.base.dataset"

    def __init__(self, samples):
        self.samples, self.begun_in = samples, None

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        return self.samples[index]

    def __iter__(self):
        info = torch.utils.data.get_worker_info()
        part, parts = (info.id, info.num_workers) if info else (0, 1)
        self.begun_in = part if info else "the main process"
        return iter(self.samples[part::parts])


def test_a_streaming_dataset_is_dealt_out_once_and_begun_by_those_who_read_it(digits, vae):
    stream = StreamingDataset([digits[i] for i in range(N)])
    blended = blend(stream, vae, fill={})
    assert stream.begun_in is None
    for workers in (0, 2):
        assert len(list(DataLoader(blended, batch_size=None, num_workers=workers))) == N
    with pytest.raises(augsynth.DataError, match="the stream is empty"):
        blend(StreamingDataset([]), vae)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("read_before", [1, 16, 45])
def test_a_hugging_face_stream_goes_on_where_it_was(table, vae, workers, read_before):
    def loader():
        dataset = blend(table.to_iterable_dataset(num_shards=4), vae)
        dataset.set_epoch(2)
        return dataset, StatefulDataLoader(dataset, batch_size=None, num_workers=workers)

    _, whole = loader()
    expected = [told(one) for one in whole]
    _, first = loader()
    iterator = iter(first)
    got = [told(one) for one in itertools.islice(iterator, read_before)]
    state = first.state_dict()
    del iterator
    _, second = loader()
    second.load_state_dict(state)
    with warnings.catch_warnings():
        warnings.simplefilter("error", augsynth.CostWarning)
        got += [told(one) for one in second]
    assert got == expected
    assert [told(one) for one in second] == expected, "the next pass is whole again"


class Counting(IterableDataset):
    """Counts what is read of it, and goes on where it was."""

    def __init__(self, samples, honest=True):
        self.samples, self.honest, self.begin, self.at, self.reads = samples, honest, 0, 0, 0

    def __iter__(self):
        begin, self.begin = self.begin, 0
        for i in range(begin, len(self.samples)):
            self.at, self.reads = i + 1, self.reads + 1
            yield self.samples[i]

    def state_dict(self):
        return {"at": self.at}

    def load_state_dict(self, state):
        self.begin = state["at"] if self.honest else state["at"] + 1


def resumed(digits, vae, honest=True, state=None):
    stream = Counting([digits[i] for i in range(N)], honest)
    dataset = blend(stream, vae, fill={})
    if state is not None:
        dataset.load_state_dict(state)
    stream.reads = 0
    return stream, dataset


def test_what_was_seen_is_not_read_again(digits, vae):
    def seen(samples):
        return [(m["seed"], None if m["synthetic"] else float(x.sum())) for x, _, m in samples]

    whole = seen(resumed(digits, vae)[1])
    for n in (0, 1, 15, 16, 17, 70, N):
        _, dataset = resumed(digits, vae)
        got = seen(itertools.islice(iter(dataset), n))
        stream, again = resumed(digits, vae, state=json.loads(json.dumps(dataset.state_dict())))
        assert got + seen(again) == whole
        assert stream.reads <= N - n + 16, "no more than a chunk is read again"


def test_a_stream_that_does_not_come_back_is_read_from_its_beginning(digits, vae):
    _, dataset = resumed(digits, vae)
    whole = [m["seed"] for *_, m in dataset]
    _, dataset = resumed(digits, vae)
    got = [m["seed"] for *_, m in itertools.islice(iter(dataset), 50)]
    _, again = resumed(digits, vae, honest=False, state=dataset.state_dict())
    with pytest.warns(augsynth.CostWarning, match="Counting did not go on where it was"):
        got += [m["seed"] for *_, m in again]
    assert got == whole


def test_a_shuffle_buffer_is_filled_again(table, vae):
    def shuffled():
        return blend(table.to_iterable_dataset(num_shards=4).shuffle(seed=0, buffer_size=20), vae)

    whole, dataset = read(shuffled()), shuffled()
    got = [told(one) for one in itertools.islice(iter(dataset), 60)]
    again = shuffled()
    again.load_state_dict(dataset.state_dict())
    with pytest.warns(augsynth.CostWarning, match="a shuffle buffer is not in its state"):
        got += read(again)
    assert got == whole


@pytest.fixture(scope="module")
def over_two_ranks(table, vae, tmp_path_factory):
    """What two processes of distributed training saw of an epoch: read whole; stopped; and resumed in new ones."""

    def run(folder):
        for shard in range(4):
            table.with_format(None).shard(4, shard).to_parquet(str(folder / f"real-{shard}.parquet"))
        augsynth.record(vae, 300, folder / "recorded", seed=0, progress=False)
        for what in ("whole", "stopped", "resumed"):
            torchrun(two_ranks.__file__, folder, what)

    folder = once(tmp_path_factory, "two-ranks", run)
    return {
        what: [json.loads((folder / f"{what}-{rank}.json").read_text()) for rank in (0, 1)]
        for what in ("whole", "stopped", "resumed")
    }


def test_two_ranks_read_a_stream_and_recorded_samples_without_repeats(over_two_ranks):
    ranks = over_two_ranks["whole"]
    seeds = Counter(seed for rank in ranks for number, seed, _ in rank if number < 0)
    real = [number for rank in ranks for number, *_ in rank if number >= 0]
    assert sum(map(len, ranks)) == N and len(seeds) > 20 and max(seeds.values()) == 1
    assert len(set(real)) == len(real) == N - sum(seeds.values())


def test_two_ranks_go_on_in_mid_epoch_with_the_same_samples(over_two_ranks):
    for rank in (0, 1):
        whole, stopped, rest = (over_two_ranks[what][rank] for what in ("whole", "stopped", "resumed"))
        assert 0 < len(stopped) < len(whole) and stopped + rest == whole
