"""The blend for streams."""

import itertools

import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset

import augsynth
from augsynth import SyntheticIterableDataset


class Stream(IterableDataset):
    def __init__(self, data, n=200):
        self.data, self.n = data, n

    def __iter__(self):
        return (self.data[i] for i in range(self.n))


def stream(digits, vae, **options):
    return SyntheticIterableDataset(Stream(digits), vae, **{"ratio": 0.4, "seed": 0, "provenance": True, **options})


def rows(dataset, workers=0, **options):
    loader = DataLoader(dataset, batch_size=None, num_workers=workers, **options)
    return sorted(((int(m["index"]), int(m["seed"]), int(y), x.sum().item()) for x, y, m in loader))


def test_it_blends_and_keeps_labels(digits, vae):
    made = list(stream(digits, vae))
    assert len(made) == 200 and abs(sum(m["synthetic"] for *_, m in made) / 200 - 0.4) < 0.14
    assert all(int(y) == int(digits[i][1]) for i, (_, y, _) in enumerate(made))


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_workers_deal_the_stream_out_without_repeats(digits, vae, workers):
    alone, dealt = rows(stream(digits, vae)), rows(stream(digits, vae), workers)
    assert [row[:3] for row in alone] == [row[:3] for row in dealt]
    assert all(abs(a[3] - b[3]) < 1e-2 for a, b in zip(alone, dealt, strict=True))


def test_spawned_workers_agree(digits, vae):
    alone, dealt = rows(stream(digits, vae)), rows(stream(digits, vae), 2, multiprocessing_context="spawn")
    assert [row[:3] for row in alone] == [row[:3] for row in dealt]


def test_epochs_and_buffers(digits, vae):
    dataset = stream(digits, vae)
    first = list(dataset)
    assert [m for *_, m in first] == [m for *_, m in stream(digits, vae, buffer_size=7)]
    dataset.set_epoch(1)
    assert [m for *_, m in first] != [m for *_, m in dataset]


def test_resuming_continues_exactly(digits, vae):
    dataset = stream(digits, vae)
    whole = [(m, x) for x, _, m in dataset]
    part = [(m, x) for x, _, m in itertools.islice(iter(dataset), 57)]
    resumed = stream(digits, vae)
    resumed.load_state_dict(dataset.state_dict())
    part += [(m, x) for x, _, m in resumed]
    assert [m for m, _ in part] == [m for m, _ in whole]
    assert all(torch.allclose(a[1], b[1], atol=1e-4) for a, b in zip(part, whole, strict=True))
    assert len(list(resumed)) == 200, "the next pass is whole again"


def test_transforms_and_filters(digits, vae):
    dataset = stream(digits, vae, transform=lambda x: x + 5, synthetic_transform=lambda x: x * 0,
                     filters=[lambda batch: batch.classes >= 0])  # fmt: skip
    for x, _, meta in dataset:
        assert (x == 5).all() if meta["synthetic"] else x.max() > 5
    assert dataset.acceptance_rate == 1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"condition": "balance"}, "does not tell its class frequencies"),
        ({"buffer_size": 0}, "buffer_size=0"),
        ({"ratio": 7}, "ratio=7"),
        ({"condition": {77: 1.0}}, "no class 77"),
    ],
)
def test_bad_arguments(digits, vae, options, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        stream(digits, vae, **options)


def test_bad_streams(vae):
    with pytest.raises(augsynth.DataError, match="started anew"):
        SyntheticIterableDataset(iter([1]), vae, ratio=0.5)
    with pytest.raises(augsynth.DataError, match="empty"):
        SyntheticIterableDataset([], vae, ratio=0.5)
