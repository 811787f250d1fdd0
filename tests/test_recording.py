"""Samples that are written once are replayed as they were, and nothing is lost half-way."""

import json
import pickle
import subprocess
import sys
import warnings

import pytest
import torch
from torch.utils.data import DataLoader

import augsynth
from augsynth.datasets.named import open_dataset
from augsynth.recording import columns
from augsynth.recording.manifest import begun
from augsynth.recording.request import Request
from augsynth.recording.storage import Storage
from tests.support import quick_fit

DIGITS = open_dataset("digits").subset(torch.arange(300))
TEXTS = [(f"the {word} is {how}", kind) for kind, own in (("animal", ("cat", "dog")), ("food", ("soup", "cake")))
         for word in own for how in ("good", "old", "here", "there")]  # fmt: skip


@pytest.fixture(scope="module")
def vae():
    return quick_fit("vae", DIGITS)


@pytest.fixture(scope="module")
def lstm():
    return quick_fit("lstm", TEXTS, steps=10, topics=["good" if "good" in x else "other" for x, _ in TEXTS])


@pytest.mark.parametrize("kept", [[*range(50)], [*range(50)][::-1], [4, 49, 7], []])
def test_columns_hold_the_samples_that_are_kept(vae, kept, monkeypatch):
    monkeypatch.setattr(columns, "_AT_ONCE", 7 * 64 + 1)  # pieces of 7 images, of which the last has fewer
    batch = vae.sample(50, seed=3)
    table = columns.table_of(vae.spec, batch, kept)
    assert table["label"].to_pylist() == [vae.spec.labels.display(int(batch.classes[i])) for i in kept]
    assert table["seed"].to_pylist() == batch.meta.seeds[kept].tolist()
    assert table["x"].to_pylist() == vae.spec.model_to_raw(batch.model_x[kept]).tolist()


def test_what_is_replayed_is_what_was_sampled(vae, tmp_path):
    folder = augsynth.record(vae, 50, tmp_path / "digits", seed=3, shard_size=20, licence="CC0", progress=False)
    assert sorted(file.name for file in folder.iterdir()) == [
        *(f"part-0000{i}.parquet" for i in range(3)),
        "recording.json",
    ]
    gen = augsynth.recorded(folder)
    assert len(gen) == 50 and gen.licence == "CC0" and gen.conditional
    batch = gen.sample(30, seed=0)
    for i, came in enumerate(gen.origin(batch.meta.seeds, batch.classes)):
        assert came["plugin"] == "augsynth/vae" and came["checkpoint"] == vae.checkpoint_id
        again = vae.sample(labels=[int(batch.y[i])], seeds=[came["seed"]])
        assert torch.allclose(again.x[0].float(), batch.x[i].float(), atol=1) and int(again.y[0]) == int(batch.y[i])
    assert {row["plugin"] for row in batch.meta} == {"recorded augsynth/vae"}
    assert torch.equal(pickle.loads(pickle.dumps(gen)).sample(5, seed=1).x, gen.sample(5, seed=1).x)
    assert set(gen.sample(20, labels=3, seed=0).y.tolist()) == {3}


@pytest.mark.parametrize("parts", [1, 2, 100_000, 100_001])
def test_parts_stand_in_the_order_of_their_names(parts):
    request = Request(parts * 10 - 1, 10, 0, None, None, (), {})
    names = [request.file(index) for index in range(parts)]
    assert sorted(set(names)) == names and request.parts == parts


def test_texts_by_label_and_topic(lstm, tmp_path):
    folder = augsynth.record(lstm, 60, tmp_path / "texts", seed=1, progress=False)
    gen = augsynth.recorded(folder)
    batch = gen.sample(12, labels="food", topics="good", seed=2)
    assert set(batch.y) == {"food"} and {row["topic"] for row in batch.meta} == {"good"}
    for came, text in zip(gen.origin(batch.meta.seeds, batch.classes, batch.topics), batch.x, strict=True):
        assert lstm.sample(labels=["food"], topics=["good"], seeds=[came["seed"]]).x[0] == text


def test_other_tools_read_it(vae, lstm, tmp_path):
    datasets = pytest.importorskip("datasets")
    augsynth.record(vae, 12, tmp_path / "a", progress=False, shard_size=5)
    augsynth.record(lstm, 6, tmp_path / "b", progress=False)
    for name, keys in (
        ("a", {"x", "label", "position", "seed"}),
        ("b", {"x", "label", "position", "topic", "about", "seed"}),
    ):
        files = sorted(str(file) for file in (tmp_path / name).glob("*.parquet"))
        rows = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
        assert set(rows.column_names) == keys and len(rows) == (12 if name == "a" else 6)
    images = datasets.load_dataset(
        "parquet",
        data_files=str(tmp_path / "a" / "part-00000.parquet"),
        split="train",
        cache_dir=str(tmp_path / "cache"),
    ).with_format("torch")
    assert images[0]["x"].shape == (1, 8, 8)


def test_it_stands_where_a_generator_stands(vae, tmp_path):
    gen = augsynth.recorded(augsynth.record(vae, 200, tmp_path / "digits", progress=False))
    once, again = (
        [
            x.sum()
            for x, _ in DataLoader(
                augsynth.SyntheticDataset(DIGITS, gen, ratio=0.5, seed=0, progress=False),
                batch_size=50,
                num_workers=workers,
            )
        ]
        for workers in (0, 2)
    )
    assert all(torch.equal(a, b) for a, b in zip(once, again, strict=True))
    found = augsynth.evaluate(gen, DIGITS, open_dataset("digits", split="test"), seed=0, progress=False)
    assert found.sentence and not found.failed


def test_a_filter_says_yes_or_no(vae, tmp_path):
    with pytest.raises(augsynth.ConfigError, match=r"returned torch.float32 of shape \(50,\); expected bool"):
        augsynth.record(vae, 50, tmp_path / "a", filters=lambda batch: batch.model_x.flatten(1).mean(1), progress=False)
    with pytest.raises(augsynth.ConfigError, match="'novelty' is a name"):
        augsynth.record(vae, 50, tmp_path / "b", filters="novelty", progress=False)


def test_filters_leave_out_and_are_counted(vae, tmp_path):
    usual = vae.sample(100, seed=9).model_x.flatten(1).mean(1).median()

    def bright(batch):
        return batch.model_x.flatten(1).mean(1) > usual

    folder = augsynth.record(vae, 40, tmp_path / "bright", filters=[bright], progress=False)
    told = json.loads((folder / "recording.json").read_text())
    gen = augsynth.recorded(folder)
    assert 0 < len(gen) < 40 and told["shards"][0] == {**told["shards"][0], "asked": 40, "rows": len(gen)}
    assert bright(gen.sample(64, seed=0)).all()


def test_a_shard_of_which_nothing_is_kept(vae, lstm, tmp_path):
    for name, gen in (("images", vae), ("texts", lstm)):
        turns = iter([False, True, False])

        def only_the_second(batch, turns=turns):
            return torch.full((len(batch),), next(turns))

        folder = augsynth.record(gen, 30, tmp_path / name, filters=[only_the_second], shard_size=10, progress=False)
        again = augsynth.recorded(folder)
        assert len(again) == 10 and len(again.sample(4, seed=0)) == 4


class Failing:
    """A generator that fails at its second request, once."""

    def __init__(self, inner):
        self.inner, self.left = inner, 1

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def sample(self, *args, **given):
        self.left -= 1
        if self.left == -1:
            raise RuntimeError("out of budget")
        return self.inner.sample(*args, **given)


def test_what_was_made_before_a_failure_is_kept_and_gone_on_with(vae, tmp_path):
    whole = augsynth.record(vae, 60, tmp_path / "whole", seed=5, shard_size=20, progress=False)
    broken = Failing(vae)
    with pytest.raises(RuntimeError, match="out of budget"):
        augsynth.record(broken, 60, tmp_path / "part", seed=5, shard_size=20, progress=False)
    with pytest.warns(augsynth.FitWarning, match="20 of 60 samples"):
        assert len(augsynth.recorded(tmp_path / "part")) == 20
    with pytest.raises(augsynth.ConfigError, match=r"other settings: seed=6, there 5"):
        augsynth.record(vae, 60, tmp_path / "part", seed=6, shard_size=20, progress=False)
    augsynth.record(broken, 60, tmp_path / "part", seed=5, shard_size=20, progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        both = augsynth.recorded(whole), augsynth.recorded(tmp_path / "part")
    assert torch.equal(*(gen.sample(30, seed=0).x for gen in both))


def test_targets_that_are_no_classes_are_refused(tmp_path):
    gen = quick_fit("vae", [(x, float(y)) for x, y in DIGITS])
    with pytest.raises(augsynth.CapabilityError, match="have targets of kind 'number'"):
        augsynth.record(gen, 4, tmp_path / "numbers", progress=False)


def test_an_unconditional_generator(tmp_path):
    gen = quick_fit("vae", [x for x, _ in DIGITS])
    again = augsynth.recorded(augsynth.record(gen, 10, tmp_path / "bare", progress=False))
    assert again.sample(4, seed=0).y is None


def test_what_cannot_be_asked_of_a_recording(vae, tmp_path):
    folder = augsynth.record(vae, 8, tmp_path / "few", labels=4, progress=False)
    gen = augsynth.recorded(folder)
    with pytest.raises(augsynth.ConfigError, match="holds no sample of the label '5'"):
        gen.sample(2, labels=5)
    with pytest.raises(augsynth.SpecMismatchError, match="holds no sample of the classes '0', '1'"):
        augsynth.SyntheticDataset(DIGITS, gen, ratio=0.5, seed=0)
    augsynth.SyntheticDataset(DIGITS, gen, ratio={4: 0.5}, seed=0)
    with pytest.raises(augsynth.ConfigError, match="are recorded already"):
        gen.sample(2, labels=4, temperature=0.5)
    with pytest.raises(augsynth.CapabilityError, match="copy that folder"):
        gen.save(tmp_path / "x")
    with pytest.raises(augsynth.CapabilityError, match="cannot vary"):
        gen.vary(DIGITS.inputs[:1], [4])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n": 0}, "n=0: expected"),
        ({"shard_size": 0}, "shard_size=0: expected"),
        ({"labels": [1, 2]}, "labels has 2 entries for n=5 samples"),
        ({"out": "here"}, "is no empty folder, and holds no recording"),
    ],
)
def test_bad_arguments(vae, tmp_path, given, message):
    if "out" in given:
        (tmp_path / "here").mkdir()
        (tmp_path / "here" / "file").write_text("mine")
    arguments = {"n": 5, **given, "out": tmp_path / given.get("out", "new"), "progress": False}
    with pytest.raises(augsynth.ConfigError, match=message):
        augsynth.record(vae, **arguments)
    assert not (tmp_path / "new").exists()


def test_from_a_url(vae, tmp_path):
    url, options = "memory://recorded/digits", {"seed": 3, "shard_size": 10, "progress": False}
    options["labels"] = [i % 10 for i in range(25)]
    assert augsynth.record(vae, 25, url, **options) == url
    here, there = augsynth.recorded(augsynth.record(vae, 25, tmp_path / "digits", **options)), augsynth.recorded(url)
    assert there.folder == url and there.checkpoint_id == here.checkpoint_id and len(there) == 25
    assert torch.equal(there.sample(30, seed=0).x, here.sample(30, seed=0).x)
    blended = augsynth.SyntheticDataset(DIGITS, there, ratio=0.5, seed=0)
    assert len(next(iter(DataLoader(blended, batch_size=16, num_workers=1)))[0]) == 16
    kept = augsynth.recorded(f"simplecache::file://{tmp_path}/digits")
    assert torch.equal(kept.sample(30, seed=0).x, here.sample(30, seed=0).x)
    storage = Storage(url)
    storage.write("part-00001.parquet", b"PAR1")
    with pytest.raises(
        augsynth.CheckpointError, match=r"memory://.*part-00001.parquet is not the file that was written"
    ):
        augsynth.recorded(url)
    storage.fs.rm(f"{storage.path}/part-00001.parquet")
    with pytest.raises(augsynth.CheckpointError, match=r"part-00001.parquet is missing"):
        augsynth.recorded(url)
    with pytest.raises(augsynth.CheckpointError, match="there is no recording at memory://nowhere"):
        augsynth.recorded("memory://nowhere")
    with pytest.raises(augsynth.ConfigError, match="path='nothing://of/the/kind'"):
        augsynth.recorded("nothing://of/the/kind")


@pytest.mark.parametrize("name", [".git", ".env", "notes.txt"])
def test_a_folder_with_something_else_in_it_is_refused(vae, tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(augsynth.ConfigError, match="no empty folder, and holds no recording"):
        augsynth.record(vae, 5, tmp_path, progress=False)
    (tmp_path / name).rename(tmp_path / ".recording.0a1b2c3d.json")  # of a process that died while it wrote
    augsynth.record(vae, 5, tmp_path, progress=False)


WRITE = """
import sys, augsynth
try:
    augsynth.record(augsynth.load("gen"), 300, "out", seed=int(sys.argv[1]), shard_size=20, progress=False)
except augsynth.ConfigError as error:
    print(error)
"""


@pytest.mark.parametrize("seeds", [(0, 1, 2), (0, 0, 0)])
def test_several_at_once_into_one_folder(vae, tmp_path, seeds):
    vae.save(tmp_path / "gen")
    run = {"cwd": tmp_path, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen([sys.executable, "-c", WRITE, str(seed)], **run) for seed in seeds]
    told = [process.communicate(timeout=300) for process in processes]
    assert all(process.returncode == 0 for process in processes), told
    refused = [out for out, _ in told if "holds a recording of other settings: seed=" in out]
    assert len(refused) == len(set(seeds)) - 1, told
    assert len(augsynth.recorded(tmp_path / "out")) == 300


def test_who_begins_at_the_same_moment_joins_or_is_refused(tmp_path):
    for settings, refused in (({"n": 1}, False), ({"n": 2}, True)):
        storage = Storage(tmp_path / "r")
        first = begun(storage, {"n": 1}, {}, {})
        answers = iter([None, first.text()])  # not there yet, and then it is
        storage.read = lambda *_, answers=answers, **__: next(answers)
        if refused:
            with pytest.raises(augsynth.ConfigError, match="other settings: n=2, there 1"):
                begun(storage, settings, {}, {})
        else:
            assert begun(storage, settings, {}, {}) == first


def damaged(folder, change):
    change(folder)
    return folder


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "recording.json").unlink(), "there is no recording"),
        (lambda folder: (folder / "recording.json").write_text("{"), "is damaged"),
        (lambda folder: (folder / "part-00000.parquet").unlink(), "is missing"),
        (lambda folder: (folder / "part-00000.parquet").write_bytes(b"PAR1"), "is not the file that was written"),
        (lambda folder: rename_shard(folder, "../../secret.parquet"), "outside of its folder"),
    ],
)
def test_damaged_recordings(vae, tmp_path, change, message):
    folder = damaged(augsynth.record(vae, 4, tmp_path / "digits", progress=False), change)
    with pytest.raises(augsynth.CheckpointError, match=message):
        augsynth.recorded(folder)


def rename_shard(folder, name):
    file = folder / "recording.json"
    told = json.loads(file.read_text())
    told["shards"][0]["file"] = name
    file.write_text(json.dumps(told))
