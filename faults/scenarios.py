"""The faults: each function brings one about, and says what came of it; an exception is a fault that is not handled."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

import augsynth
from augsynth.modalities.image.tiny import TinyImages

SCENARIOS: dict[str, Callable[[Path], str]] = {}
DATA = "TinyImages(64, (1, 8, 8))"
HEAD = (
    "import warnings; warnings.simplefilter('ignore'); import torch, augsynth; "
    "from augsynth.modalities.image.tiny import TinyImages; open('begun', 'w').close(); "
)
FIT = (
    HEAD + f"augsynth.fit('vae', {DATA}, steps=400, width=8, checkpoint_dir='gen', checkpoint_every=50, patience=None, "
    "validation=0.0, resume={resume}, progress=False, device='cpu')"
)
RECORD = HEAD + "augsynth.record(augsynth.load('gen'), 60_000, 'recorded', seed=0, shard_size=500, progress=False)"
UPLIFT = (
    HEAD
    + f"augsynth.uplift({DATA}, TinyImages(64, (1, 8, 8), seed=1), augsynth.load('gen'), seeds=4, steps=60, jobs=2, "
    "out='uplift', progress=False)"
)
POOLED = HEAD + (
    f"from torch.utils.data import DataLoader; data = {DATA}; pool = augsynth.SamplePool(augsynth.load('gen'), 64, "
    "refresh='continuous', seed=0); blended = augsynth.SyntheticDataset(data, pool, ratio=0.5, seed=0)\n"
    "for epoch in range(10_000):\n"
    "    blended.set_epoch(epoch)\n"
    "    for _ in DataLoader(blended, batch_size=8, num_workers=4): print('batch', flush=True)\n"
)


def scenario(name: str) -> Callable[[Callable[[Path], str]], Callable[[Path], str]]:
    def kept(function: Callable[[Path], str]) -> Callable[[Path], str]:
        SCENARIOS[name] = function
        return function

    return kept


def fitted(folder: Path | None = None) -> Any:
    gen = augsynth.fit("vae", TinyImages(64, (1, 8, 8)), steps=20, width=8, progress=False, device="cpu")
    if folder is not None:
        gen.save(folder / "gen")
    return gen


def python(code: str, folder: Path, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )


def begun(process: subprocess.Popen[Any], folder: Path) -> None:
    """Wait until the process has imported what it needs, which takes long where the disk is cold."""
    while not (folder / "begun").exists() and process.poll() is None:
        time.sleep(0.02)
    (folder / "begun").unlink(missing_ok=True)


def finished(code: str, folder: Path) -> float:
    """Run ``code`` to its end; returns the seconds of its work, without those of its imports."""
    process = python(code, folder)
    begun(process, folder)
    started = time.monotonic()
    _, told = process.communicate()
    if process.returncode:
        raise AssertionError(f"it did not go on: {told.strip().splitlines()[-1:]}")
    return time.monotonic() - started


def digest(folder: Path, pattern: str) -> str:
    made = hashlib.sha256()
    for file in sorted(folder.glob(pattern)):
        made.update(file.read_bytes())
    return made.hexdigest()


def batches(blended: Any, workers: int, epoch: int, most: int | None = None) -> list[Any]:
    blended.set_epoch(epoch)
    made = []
    for batch in DataLoader(blended, batch_size=8, num_workers=workers):
        made.append(batch)
        if len(made) == most:
            break
    return made


def alike(one: list[Any], other: list[Any]) -> bool:
    pairs = zip(one, other, strict=True)
    return all(torch.equal(a, b) for x, y in pairs for a, b in zip(x, y, strict=True))


def shared() -> set[str]:
    return {name for name in os.listdir("/dev/shm") if not name.startswith("augsynth-fault-")}


def processes(group: int) -> list[str]:
    """Those of a process group that are there still, other than as zombies."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group and fields[0] != "Z":
                found.append(entry.name)
    return found


def gone(group: int, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while processes(group):
        if time.monotonic() > end:
            raise AssertionError(f"processes are left over: {processes(group)}")
        time.sleep(0.2)


def interrupted(code: str, resumed: str, folder: Path, how: list[int], pattern: str, times: int, takes: float) -> int:
    """Run ``code``, send signals at random moments within the ``takes`` seconds of its work, and go on, until it is
    through; returns how often it was hit."""
    hits = 0
    for turn in range(times):
        process = subprocess.Popen(
            [sys.executable, "-c", code if turn == 0 else resumed],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        begun(process, folder)
        # each time at most its share, so that there is something left the last time
        end = time.monotonic() + takes * random.uniform(0.4, 0.9) / times
        while time.monotonic() < end and process.poll() is None:
            time.sleep(0.05)
        for one in how:
            if process.poll() is None:
                process.send_signal(one)
                hits += 1
                time.sleep(0.2)
        process.wait(60)
        gone(process.pid, 60.0)
    finished(resumed, folder)
    if not hits:
        raise AssertionError("it was through before it was hit: give it more to do")
    if not list(folder.glob(pattern)):
        raise AssertionError("nothing was made")
    return hits


@scenario("frequent epoch restarts, 8 workers, left in the middle")
def restarts(folder: Path) -> str:
    blended = augsynth.SyntheticDataset(TinyImages(64, (1, 8, 8)), fitted(), ratio=0.5, seed=0)
    before = shared()
    for epoch in range(25):
        most = random.randint(1, 8)
        if not alike(batches(blended, 8, epoch, most), batches(blended, 0, epoch, most)):
            raise AssertionError(f"epoch {epoch} differs")
    left = multiprocessing.active_children()
    if left or shared() - before:
        raise AssertionError(f"left over: {left}, {shared() - before}")
    return "25 epochs the same as in one process, no process and no shared memory left"


@scenario("worker killed at random moments")
def killed_worker(folder: Path) -> str:
    blended = augsynth.SyntheticDataset(TinyImages(64, (1, 8, 8)), fitted(), ratio=0.5, seed=0)
    told = 0
    for turn in range(6):
        blended.set_epoch(turn)
        try:
            for number, _ in enumerate(DataLoader(blended, batch_size=2, num_workers=8)):
                if number == turn:
                    os.kill(random.choice(multiprocessing.active_children()).pid or 0, signal.SIGKILL)
        except (RuntimeError, ConnectionError, EOFError):  # whichever torch meets first
            told += 1
        if not alike(batches(blended, 8, turn), batches(blended, 0, turn)):
            raise AssertionError("the epoch afterwards differs")
    return f"{told} of 6 told as errors (the others were through); every epoch afterwards the same"


@scenario("process with a pool and 4 workers killed at random moments")
def killed_pool(folder: Path) -> str:
    fitted(folder)
    before = shared()
    for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        process = python(POOLED, folder, start_new_session=True)
        for _ in range(random.randint(2, 40)):
            process.stdout.readline()  # type: ignore[union-attr]
        process.send_signal(how)
        process.wait(60)
        gone(process.pid)
    time.sleep(1.0)
    if left := shared() - before:
        raise AssertionError(f"shared memory is left over: {sorted(left)[:5]}")
    return "4 killed (KILL, TERM, INT): no process and no shared memory left"


@scenario("fork in the middle of sampling, with a pool")
def fork(folder: Path) -> str:
    gen = fitted()
    expected = gen.sample(8, seed=3).x
    pool = augsynth.SamplePool(gen, 64, refresh="continuous", seed=0)
    blended = augsynth.SyntheticDataset(TinyImages(64, (1, 8, 8)), pool, ratio=0.5, seed=0)
    children = []
    for epoch in range(6):
        blended.set_epoch(epoch)
        for _ in DataLoader(blended, batch_size=16, num_workers=2):
            pass
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            child = os.fork()
        if child == 0:
            # as DataLoader does in a worker: threads of OpenMP do not live through a fork
            torch.set_num_threads(1)
            os._exit(0 if torch.equal(gen.sample(8, seed=3).x, expected) else 1)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    pool.close()
    if any(codes):
        raise AssertionError(f"forked processes sample otherwise: {codes}")
    return "6 forks sample the same; the epochs go on"


def fit_under(folder: Path, how: list[int], times: int) -> str:
    for place in ("whole", "hit"):
        (folder / place).mkdir()
    takes = finished(FIT.format(resume=False), folder / "whole")
    # what was killed before its first checkpoint has nothing to go on from
    resumed = "import os; there = os.path.exists('gen'); " + FIT.format(resume="there")
    hits = interrupted(resumed, resumed, folder / "hit", how, "gen/model.safetensors", times, takes)
    one, other = (digest(folder / place, "gen/model.safetensors") for place in ("whole", "hit"))
    if one != other:
        raise AssertionError("the resumed fit has other weights")
    return f"{hits} signals; gone on with, the weights are those of a fit in one go, to the last bit"


@scenario("SIGTERM in a fit")
def sigterm(folder: Path) -> str:
    return fit_under(folder, [signal.SIGTERM], 2)


@scenario("SIGINT, twice, in a fit")
def sigint(folder: Path) -> str:
    return fit_under(folder, [signal.SIGINT, signal.SIGINT], 2)


@scenario("SIGKILL in a fit")
def sigkill(folder: Path) -> str:
    return fit_under(folder, [signal.SIGKILL], 3)


def killed_and_resumed(code: str, folder: Path, pattern: str, times: int) -> tuple[Path, Path, int]:
    """Run ``code`` in one go, and killed at random moments and gone on with: both places, and how many kills."""
    whole, hit = folder / "whole", folder / "hit"
    for place in (whole, hit):
        place.mkdir()
        fitted(place)
    takes = finished(code, whole)
    return whole, hit, interrupted(code, code, hit, [signal.SIGKILL], pattern, times, takes)


@scenario("SIGKILL while recording")
def recording(folder: Path) -> str:
    whole, hit, hits = killed_and_resumed(RECORD, folder, "recorded/*.parquet", 3)
    if digest(whole, "recorded/*.parquet") != digest(hit, "recorded/*.parquet"):
        raise AssertionError("the recordings differ")
    return f"{hits} kills; the shards are those of a recording in one go, to the last bit"


@scenario("SIGKILL in a comparison")
def comparison(folder: Path) -> str:
    *places, hits = killed_and_resumed(UPLIFT, folder, "uplift/*.json", 2)
    one, other = (json.loads((place / "uplift" / "uplift.json").read_text())["arms"] for place in places)
    if [arm["scores"] for arm in one.values()] != [arm["scores"] for arm in other.values()]:
        raise AssertionError("the scores differ")
    return f"{hits} kills; the scores are those of a comparison in one go"


@scenario("full disk while saving")
def full_disk(folder: Path) -> str:
    gen = fitted()
    place = folder / "small"
    place.mkdir()
    mounted = not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(place)], capture_output=True
    ).returncode
    try:
        gen.save(place / "gen")
        large = augsynth.fit("vae", TinyImages(24, (1, 8, 8)), steps=2, width=64, progress=False, device="cpu")
        if not mounted:  # a bound on the size of files stands in for the disk
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            large.save(place / "gen")
        except (OSError, augsynth.AugsynthError) as error:
            told = f"{type(error).__name__}: {error}"
        else:
            raise AssertionError("saving onto a full disk said nothing")
        again = augsynth.load(place / "gen")
        if not torch.equal(again.sample(4, seed=0).x, gen.sample(4, seed=0).x):
            raise AssertionError("the checkpoint of before is not whole")
        rest = sorted(one.name for one in place.iterdir())
        if rest != ["gen"]:
            raise AssertionError(f"half-written files are left: {rest}")
    finally:
        if mounted:
            subprocess.run(["umount", str(place)], check=False)
    where = "tmpfs of 300 kB" if mounted else "bound on the size of files"
    return f"{where}: cannot{told.partition('cannot')[2][:90]}; the one before is whole"


@scenario("slow disk")
def slow_disk(folder: Path) -> str:
    real = os.fsync

    def slow(file: int) -> None:
        time.sleep(0.3)
        real(file)

    os.fsync = slow
    try:
        options: dict[str, Any] = {"steps": 60, "width": 8, "progress": False, "device": "cpu", "validation": 0.0}
        data = TinyImages(64, (1, 8, 8))
        gen = augsynth.fit("vae", data, checkpoint_dir=folder / "gen", checkpoint_every=20, **options)
    finally:
        os.fsync = real
    if not torch.equal(gen.sample(4, seed=0).x, augsynth.fit("vae", data, **options).sample(4, seed=0).x):
        raise AssertionError("the weights differ")
    return "slower, and the same weights"


@scenario("full /dev/shm under a pool")
def full_shm(folder: Path) -> str:
    fitted(folder)
    code = HEAD + "augsynth.SamplePool(augsynth.load('gen'), 100_000, seed=0)"
    place = Path(tempfile.mkdtemp())
    shutil.copytree(folder / "gen", place / "gen")
    script = f'mount -t tmpfs -o size=8m tmpfs /dev/shm && cd {place} && exec {sys.executable} -c "$CODE"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, env={**os.environ, "CODE": code}
    )
    shutil.rmtree(place)
    told = done.stderr.strip().splitlines()[-1]
    if "ConfigError" not in told or "shared memory" not in told:
        raise AssertionError(told)
    return f"/dev/shm of 8 MB: {told.removeprefix('augsynth.errors.')[:120]}"


@scenario("clock jumps")
def clock(folder: Path) -> str:
    real = time.time
    time.time = lambda: real() + random.uniform(-1e7, 1e7)
    gen = augsynth.fit("vae", TinyImages(64, (1, 8, 8)), max_time="2s", width=8, progress=False, device="cpu")
    if gen.fit_info["ended"] != "completed" or gen.fit_info["seconds"] > 10:
        raise AssertionError(f"the fit took {gen.fit_info['seconds']} s of 2")
    pool = augsynth.SamplePool(gen, 64, seed=0, timeout=20.0)
    blended = augsynth.SyntheticDataset(TinyImages(64, (1, 8, 8)), pool, ratio=0.5, seed=0)
    for epoch in range(3):
        batches(blended, 2, epoch)
    pool.close()
    return f"a fit of 2 s ends after {gen.fit_info['seconds']:.1f} s, a pool goes on"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    random.seed()
    # a quick place: what is measured is what is left, not the disk
    where = Path(tempfile.mkdtemp(prefix="augsynth-fault-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    try:
        print(SCENARIOS[sys.argv[1]](where))
    finally:
        shutil.rmtree(where, ignore_errors=True)
