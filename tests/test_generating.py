"""Mass generation in several processes: the files of one process, exactly once, whatever dies."""

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
import torch
from typer.testing import CliRunner

import augsynth
from augsynth.cli.main import app
from augsynth.datasets.named import open_dataset
from augsynth.recording.manifest import MANIFEST
from augsynth.recording.storage import Storage
from tests.support import quick_fit

pytest.importorskip("ray")
DIGITS = open_dataset("digits").subset(torch.arange(300))
QUIET = {"progress": False, "seed": 3}


@pytest.fixture(scope="module")
def vae():
    return quick_fit("vae", DIGITS)


@pytest.fixture(scope="module")
def cluster():
    """Ray with two machines in one, of one core each."""
    import ray
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    ray.init(address=made.address, log_to_driver=False)
    made.second = made.add_node(num_cpus=1)
    yield made
    ray.shutdown()
    made.shutdown()


def manifest(folder):
    return json.loads((Path(folder) / MANIFEST).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def alone(vae, tmp_path_factory):
    """What one process writes."""
    folder = augsynth.record(vae, 1050, tmp_path_factory.mktemp("alone") / "r", shard_size=100, **QUIET)
    return manifest(folder)


class Slow:
    """A filter that takes its time, so that something can happen meanwhile."""

    def __init__(self, seconds=0.3):
        self.seconds = seconds

    def __call__(self, batch):
        time.sleep(self.seconds)
        return batch.x.flatten(1).float().mean(1) > 0


def breaks(batch):
    raise ZeroDivisionError("by a filter")


class Vandal:
    """A filter that puts a file in the place of the folder."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __call__(self, batch):
        shutil.rmtree(self.folder, ignore_errors=True)
        Path(self.folder).write_text("in the way")
        return torch.ones(len(batch), dtype=torch.bool)


def test_processes_write_what_one_process_writes(vae, alone, cluster, tmp_path):
    out = augsynth.generate(vae, 1050, tmp_path / "g", shard_size=100, **QUIET)
    assert manifest(out) == alone
    gen = augsynth.recorded(out)
    assert len(gen) == 1050 and set(gen.sample(20, labels=3, seed=0).y.tolist()) == {3}
    before = {file: file.stat().st_mtime_ns for file in Path(out).iterdir()}
    augsynth.generate(vae, 1050, out, shard_size=100, num_workers=1, **QUIET)
    augsynth.record(vae, 1050, out, shard_size=100, **QUIET)  # either goes on with what the other began
    assert {file: file.stat().st_mtime_ns for file in Path(out).iterdir()} == before


def test_other_settings_are_refused(vae, cluster, tmp_path):
    augsynth.generate(vae, 20, tmp_path / "g", **QUIET)
    for change, told in (
        ({"seed": 4}, "seed=4, there 3"),
        ({"format": "webdataset"}, "format='webdataset', there None"),
    ):
        with pytest.raises(augsynth.ConfigError, match=told):
            augsynth.generate(vae, 20, tmp_path / "g", **{**QUIET, **change})
    for wrong in ({"n": 0}, {"num_workers": 0}, {"num_workers": 1.5}, {"shard_size": 0}, {"format": "csv"}):
        with pytest.raises(augsynth.ConfigError, match=next(iter(wrong))):
            augsynth.generate(vae, **{"n": 5, "out": tmp_path / "h", **wrong})
    with pytest.raises(augsynth.ConfigError, match="Protocol not known"):
        augsynth.generate(vae, 5, "nowhere://x", **QUIET)


def test_what_is_lost_with_a_machine_is_made_again(vae, cluster, tmp_path):
    once = augsynth.record(vae, 1200, tmp_path / "a", shard_size=50, filters=[Slow(0)], **QUIET)

    def lose():
        while len(list((tmp_path / "b").glob("*.parquet"))) < 4:
            time.sleep(0.05)
        cluster.remove_node(cluster.second, allow_graceful=False)

    thread = threading.Thread(target=lose)
    thread.start()
    out = augsynth.generate(vae, 1200, tmp_path / "b", shard_size=50, filters=[Slow()], num_workers=2, **QUIET)
    thread.join()
    cluster.second = cluster.add_node(num_cpus=1)
    assert manifest(out)["shards"] == manifest(once)["shards"] and manifest(out)["complete"]


def test_a_filter_that_fails_is_told_with_the_samples(vae, cluster, tmp_path):
    with pytest.raises(
        augsynth.BrokenPluginError, match=r"samples [0-9]+ to [0-9]+ could not be made: ZeroDivisionError: by a"
    ):
        augsynth.generate(vae, 60, tmp_path / "g", shard_size=10, filters=[breaks], **QUIET)
    with pytest.raises(augsynth.ConfigError, match="cannot be used: (File exists|Not a directory)"):
        augsynth.generate(vae, 60, tmp_path / "v", shard_size=10, filters=[Vandal(tmp_path / "v")], **QUIET)


def test_tar_files_for_webdataset(vae, cluster, tmp_path):
    webdataset = pytest.importorskip("webdataset")
    out = augsynth.generate(vae, 70, tmp_path / "g", shard_size=40, format="webdataset", **QUIET)
    files = [str(Path(out) / shard["file"]) for shard in manifest(out)["shards"]]
    rows = list(webdataset.WebDataset(files, shardshuffle=False).decode("pil"))
    assert [int(row["__key__"]) for row in rows] == list(range(70)) and rows[0]["png"].size == (8, 8)
    for row in rows[:3]:
        again = vae.sample(labels=[row["cls"]], seeds=[row["json"]["seed"]]).x[0, 0]
        assert np.abs(np.asarray(row["png"].convert("L"), float) - again.float().numpy()).max() <= 1
    with pytest.raises(augsynth.CheckpointError, match="format='parquet'"):
        augsynth.recorded(out)


def test_texts_are_files_of_their_own(cluster, tmp_path):
    lstm = quick_fit("lstm", [("the cat is old", "animal"), ("the soup is good", "food")] * 8, steps=5)
    out = augsynth.generate(lstm, 6, tmp_path / "g", format="webdataset", labels="food", **QUIET)
    with tarfile.open(Path(out) / "part-00000.tar") as archive:
        names = archive.getnames()
        told = io.TextIOWrapper(archive.extractfile("000000000000.txt")).read()
    assert len(names) == 18 and told == lstm.sample(1, labels="food", seeds=[manifest_seed(out)]).x[0]


def manifest_seed(out):
    with tarfile.open(Path(out) / "part-00000.tar") as archive:
        return json.load(archive.extractfile("000000000000.json"))["seed"]


def test_through_fsspec(vae, alone, cluster, tmp_path):
    out = augsynth.generate(vae, 1050, f"local://{tmp_path}/g", shard_size=100, **QUIET)
    assert out.startswith("local://") and manifest(tmp_path / "g") == alone
    assert len(augsynth.recorded(tmp_path / "g")) == 1050
    assert augsynth.generate(vae, 1050, out, shard_size=100, **QUIET) == out, "and goes on there"
    (tmp_path / "g" / "part-00003.parquet").unlink()
    with pytest.raises(augsynth.CheckpointError, match="part-00003.parquet is missing"):
        augsynth.generate(vae, 1050, out, shard_size=100, **QUIET)
    store = Storage("memory://somewhere/deep")
    assert store.read("a", at_most=9) is None
    assert store.begin("a", b"1")
    assert store.read("a", at_most=9) == b"1"
    assert not store.begin("a", b"2"), "another was quicker"
    with pytest.raises(augsynth.CheckpointError, match="has 1 bytes: expected at most 0"):
        store.read("a", at_most=0)
    with pytest.raises(augsynth.ConfigError, match="no empty folder"):
        store.begin("b", b"2")


def test_in_a_bucket(vae, alone):
    """A store that writes exclusively, makes buckets where folders are made, and raises errors of its own."""
    import fsspec
    from fsspec.implementations.memory import MemoryFileSystem

    class Bucket(MemoryFileSystem):
        protocol = ("gs", "bucket")
        store, pseudo_dirs, open_to = {}, [""], True

        def makedirs(self, path, exist_ok=False):
            raise AssertionError("a bucket was made")

        def exists(self, path, **kwargs):
            if not self.open_to:
                raise RuntimeError("no credentials")
            return super().exists(path, **kwargs)

        def pipe_file(self, path, value, mode="overwrite", **kwargs):
            if mode == "create" and path in self.store:
                raise RuntimeError("412 PreconditionFailed")
            return super().pipe_file(path, value, **kwargs)

    fsspec.register_implementation("bucket", Bucket, clobber=True)
    store = Storage("bucket://mine/samples")
    assert store.begin("a", b"1")
    assert not store._created(f"{store.path}/a", b"2"), "another began after we had looked"
    assert store.read("a", at_most=9) == b"1"
    out = augsynth.record(vae, 1050, "bucket://mine/others", shard_size=100, **QUIET)
    assert json.loads(Storage(out).read(MANIFEST, at_most=2**20)) == alone
    Bucket.open_to = False
    with pytest.raises(augsynth.ConfigError, match="'bucket://mine/more' cannot be used: RuntimeError: no credentials"):
        augsynth.record(vae, 10, "bucket://mine/more", **QUIET)


def test_a_cluster_named_by_the_environment(vae, alone, cluster, tmp_path):
    vae.save(tmp_path / "vae")
    told = ["generate", str(tmp_path / "vae"), "-n", "1050", "--seed", "3", "--shard-size", "100", "--out"]
    call = [sys.executable, "-m", "augsynth", *told, str(tmp_path / "g")]
    before = len(cluster.list_all_nodes())
    done = subprocess.run(
        call, env={**os.environ, "RAY_ADDRESS": cluster.address}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert manifest(tmp_path / "g")["shards"] == alone["shards"]
    assert len(cluster.list_all_nodes()) == before


def test_a_cluster_that_is_not_there(vae, tmp_path, monkeypatch):
    monkeypatch.setattr("ray.is_initialized", lambda: False)  # another test may have it connected
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(augsynth.ConfigError, match=r"RAY_ADDRESS='127.0.0.1:1': there is no cluster of Ray \("):
        augsynth.generate(vae, 100, tmp_path / "g", shard_size=50, **QUIET)
    augsynth.record(vae, 100, tmp_path / "g", shard_size=50, **QUIET)  # what was begun can be gone on with


@pytest.fixture
def small(tmp_path):
    """A disk of 400 kB, and what makes it larger."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("no disk can be mounted here")
    yield place, lambda: subprocess.run(["mount", "-o", "remount,size=64m", str(place)], check=True)
    subprocess.run(["umount", "-l", str(place)], check=False)


def test_a_full_disk_is_told_and_what_is_there_stays(vae, alone, cluster, small):
    place, enlarge = small
    ballast = place / "ballast"
    ballast.write_bytes(bytes(340_000))
    asked = {"n": 1050, "out": place / "g", "shard_size": 100, **QUIET}
    with pytest.raises(augsynth.ConfigError, match="No space left on device"):
        augsynth.generate(vae, **asked)
    # a process that Ray stopped while it wrote may leave a draft, which nobody reads
    for file in (place / "g").glob("part-*.parquet"):
        assert pyarrow.parquet.read_table(file).num_rows in (50, 100), "what has its name is whole"
    enlarge()
    assert manifest(augsynth.generate(vae, **asked)) == alone


def test_a_manifest_of_absurd_size_is_not_read(vae, tmp_path):
    (tmp_path / MANIFEST).touch()
    os.truncate(tmp_path / MANIFEST, 2**27)
    for attempt in (lambda: augsynth.record(vae, 5, tmp_path, **QUIET), lambda: augsynth.recorded(tmp_path)):
        with pytest.raises(augsynth.CheckpointError, match="134,217,728 bytes: expected at most"):
            attempt()


def test_from_the_command_line(vae, alone, cluster, tmp_path):
    vae.save(tmp_path / "model")
    asked = ["generate", str(tmp_path / "model"), "-n", "1050", "--out", str(tmp_path / "g"), "--shard-size", "100"]
    done = CliRunner().invoke(app, [*asked, "--seed", "3", "--workers", "2"])
    assert done.exit_code == 0 and f"1,050 samples in {tmp_path / 'g'}" in done.output, done.output
    assert manifest(tmp_path / "g") == alone


def test_without_ray_the_extra_is_named(vae, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(augsynth.MissingDependencyError, match=r"augsynth\[ray\]"):
        augsynth.generate(vae, 5, tmp_path / "g", **QUIET)
    assert not (tmp_path / "g").exists()


def test_workers_and_the_whole_may_be_killed(vae, alone, tmp_path):
    psutil = pytest.importorskip("psutil")
    vae.save(tmp_path / "model")
    code = (
        "import augsynth\n"
        "augsynth.generate(augsynth.load('model'), 1050, 'g', shard_size=100, seed=3, num_workers=2, progress=False)\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}

    def run():
        return subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=env, stderr=subprocess.DEVNULL)

    def written():
        return len(list((tmp_path / "g").glob("*.parquet")))

    first = run()
    while written() < 3 and first.poll() is None:
        time.sleep(0.02)
    first.kill()
    first.wait()
    assert written() >= 3
    second, killed = run(), 0
    while second.poll() is None and killed < 2:
        with suppress(psutil.Error):  # one that has just ended
            for worker in psutil.Process(second.pid).children(recursive=True):
                if killed < 2 and "MapWorker" in " ".join(worker.cmdline()):
                    worker.kill()
                    killed += 1
        time.sleep(0.1)
    assert second.wait(timeout=180) == 0 and killed == 2
    assert manifest(tmp_path / "g") == alone
