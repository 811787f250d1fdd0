"""Samples that are kept in a file while a generator is fitted."""

import os
import shutil

import pytest
import torch
from torch.utils.data import IterableDataset, TensorDataset

import augsynth
from augsynth.fitting.mapped_rows import RowFile, Rows
from augsynth.fitting.ranks import Ranks
from augsynth.fitting.reading import read

pytestmark = pytest.mark.filterwarnings("ignore::augsynth.CollapseWarning")  # twenty steps are few
OPTIONS = {"steps": 20, "seed": 0, "progress": False}


class Stream(IterableDataset):
    def __init__(self, data):
        self.data = data

    def __iter__(self):
        return iter([self.data[i] for i in range(len(self.data))])


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


@pytest.mark.parametrize("generator", ["vae", "gan"])
def test_the_generator_is_the_same_to_the_last_bit(digits, tmp_path, generator):
    usual = augsynth.fit(generator, digits, **OPTIONS, validation=0.1)
    for data in (digits, Stream(digits)):
        mapped = augsynth.fit(generator, data, **OPTIONS, validation=0.1, cache_dir=tmp_path / "cache")
        assert same(usual, mapped)
        assert mapped.fit_info["data_fingerprint"] == usual.fit_info["data_fingerprint"]
    assert list((tmp_path / "cache").iterdir()) == [], "nothing is left"


def test_a_fit_from_a_file_resumes_exactly(digits, tmp_path):
    place = {"checkpoint_dir": tmp_path / "checkpoint", "cache_dir": tmp_path}
    whole = augsynth.fit("vae", digits, steps=80, seed=0, progress=False)

    def stop(step, losses):
        raise KeyboardInterrupt

    with pytest.warns(augsynth.FitWarning, match="interrupted after 20"):
        augsynth.fit("vae", digits, steps=80, seed=0, progress=False, callback=stop, **place)
    assert same(whole, augsynth.fit("vae", digits, steps=80, seed=0, progress=False, resume=True, **place))


def test_its_samples_are_those_of_the_dataset_whatever_is_asked(digits, tmp_path):
    kept, mapped = (read(digits, Ranks(), where, show=False) for where in (None, tmp_path))
    assert torch.equal(kept.raw, mapped.raw) and kept.digests() == mapped.digests()
    for a, b in zip(kept.split(0.3, 1), mapped.split(0.3, 1), strict=True):
        assert isinstance(b.raw, Rows) and len(a) == len(b) and torch.equal(a.raw, b.raw[:])
        some = torch.tensor([5, 0, 5])
        assert torch.equal(a.subset(some).raw, b.subset(some).raw[:]) and a.digests() == b.digests()
        assert torch.equal(a.model_x(some), b.model_x(some)) and torch.equal(a.model_x(), b.model_x())


def test_what_is_mapped_cannot_be_changed_for_others(tmp_path):
    file = RowFile(tmp_path, "shared")
    file.expect(None, torch.zeros(2), 3)
    for i in range(3):
        file.append(torch.full((2,), float(i)))
    first, second = file.mapped(), file.mapped()
    first[0] = 7.0
    assert second[0].tolist() == [0.0, 0.0]
    file.close()
    assert not os.listdir(tmp_path) and second[2].tolist() == [2.0, 2.0]


def test_samples_that_differ_are_told_and_nothing_is_left(tmp_path):
    class Mixed(TensorDataset):
        def __getitem__(self, index):
            x, y = super().__getitem__(index)
            return (x.double() if index == 3 else x), y

    data = Mixed(torch.rand(6, 1, 8, 8), torch.arange(6) % 2)
    with pytest.raises(augsynth.DataError, match="sample 3: "):
        augsynth.fit("vae", data, **OPTIONS, cache_dir=tmp_path)
    assert not os.listdir(tmp_path)


def test_no_room_is_told_before_anything_is_written(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 0, 10))
    with pytest.raises(augsynth.ConfigError, match=r"samples take .* GiB are free"):
        augsynth.fit("vae", digits, **OPTIONS, cache_dir=tmp_path)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_disk_that_fills_up_is_told(tmp_path):
    file = RowFile(tmp_path)
    file._file = open("/dev/full", "w+b", buffering=0)  # noqa: SIM115
    file.expect(None, torch.zeros(2), None)
    with pytest.raises(augsynth.ConfigError, match="No space left on device, after 0 samples"):
        file.append(torch.zeros(2))
    file.close()
    file._file = open("/dev/full", "w+b")  # noqa: SIM115
    file.append(torch.zeros(2))
    with pytest.raises(augsynth.ConfigError, match="No space left on device"):
        file.mapped()
    file.close()  # which tries to write once more


def test_bad_folders_and_kinds(digits, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(augsynth.ConfigError, match="expected a folder to write to"):
        augsynth.fit("vae", digits, **OPTIONS, cache_dir=tmp_path / "file")
    texts = [(f"how far is number {i}", i % 2) for i in range(8)]
    with pytest.raises(augsynth.ConfigError, match="only tensors are kept in a file"):
        augsynth.fit("lstm", texts, **OPTIONS, cache_dir=tmp_path)
