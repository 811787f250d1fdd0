"""Pools: filled by a thread, read by workers, the same whatever the workers, and loud when something breaks."""

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
import torch
from torch.utils.data import DataLoader

import augsynth
from augsynth.modalities.image.tiny import TinyImages
from augsynth.modalities.text.tiny import TinyTexts
from augsynth.pool.filler import BUSY_NS, FILLED
from augsynth.pool.slots import regions
from tests.support import quick_fit

DATA = TinyImages(60, form="tensor-float")
TEXTS = TinyTexts(48)


@pytest.fixture(scope="module")
def vae():
    return quick_fit("vae", DATA, steps=10)


@pytest.fixture(scope="module")
def lstm():
    return quick_fit("lstm", TEXTS, steps=60, batch_size=16, topics=[f"t{i % 2}" for i in range(48)])


@pytest.fixture
def pool(vae):
    with augsynth.SamplePool(vae, 90, seed=3) as made:
        yield made.fill()


def read(blended, epochs=2, **options):
    made = []
    for epoch in range(epochs):
        blended.set_epoch(epoch)
        for batch in DataLoader(blended, batch_size=16, **options):
            made += list(batch[0])
    return made


def same(a, b):
    return len(a) == len(b) and all(
        torch.equal(x, y) if isinstance(x, torch.Tensor) else x == y for x, y in zip(a, b, strict=True)
    )


def test_samples_are_the_generators_with_the_label_asked_for(pool, vae):
    batch = pool.sample(labels=[2, 0, 1, 2], seed=1)
    assert torch.as_tensor(batch.y).tolist() == [2, 0, 1, 2]
    for i, row in enumerate(batch.meta):
        again = vae.sample(seeds=[row["seed"]], labels=[row["condition"]])
        torch.testing.assert_close(again.x[0], batch.x[i], atol=2e-5, rtol=0)
        assert row["checkpoint"] == vae.checkpoint_id
    torch.testing.assert_close(pool.spec.raw_to_model(batch.x), batch.model_x)
    assert len(pool.sample(5, labels="1", seed=0)) == 5
    free = pool.sample(300, seed=0)
    assert torch.bincount(torch.as_tensor(free.y), minlength=3).min() > 60


def test_the_pool_of_an_epoch_follows_seed_and_epoch(vae, pool):
    with augsynth.SamplePool(vae, 90, seed=3, batch_size=7) as other:
        a, b = (one.sample(20, labels=0, seed=5).x for one in (pool, other.fill()))
        torch.testing.assert_close(a, b, atol=2e-5, rtol=0)
        first = a.clone()
        for one in (pool, other):
            one.set_epoch(1)
        a, b = (one.sample(20, labels=0, seed=5).x for one in (pool, other))
        torch.testing.assert_close(a, b, atol=2e-5, rtol=0)
        assert not torch.equal(a, first)
        pool.set_epoch(0)  # back again, and the next but one
        assert torch.equal(pool.sample(20, labels=0, seed=5).x, first)
        pool.set_epoch(7)
        assert not torch.equal(pool.sample(20, labels=0, seed=5).x, first)


@pytest.mark.parametrize(
    "options",
    [{}, {"multiprocessing_context": "spawn"}, {"multiprocessing_context": "forkserver"}, {"persistent_workers": True}],
)
def test_the_same_samples_whatever_the_workers(pool, options):
    blended = augsynth.SyntheticDataset(DATA, pool, ratio=0.5, seed=0)
    alone = read(blended)
    assert same(alone, read(blended, num_workers=2, **options))


def test_several_threads_make_the_same_pool_and_leave_torch_as_it_was(vae, pool):
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with augsynth.SamplePool(vae, 90, seed=3, batch_size=31) as other:
            made = other.fill().sample(40, seed=1)
            assert {t.name for t in threading.enumerate()} >= {f"augsynth-pool_{i}" for i in range(3)}
            assert torch.get_num_threads() == 3
        started = []
        thread = threading.Thread(target=lambda: started.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        assert started == [3], "a thread that starts later computes as before"
    finally:
        torch.set_num_threads(before)
    expected = pool.sample(40, seed=1)
    torch.testing.assert_close(made.x, expected.x, atol=2e-5, rtol=0)
    assert [row["seed"] for row in made.meta] == [row["seed"] for row in expected.meta]


def test_texts_of_any_length(lstm):
    with augsynth.SamplePool(lstm, 60, topics={"t0": 1}, temperature=0.8) as pool:
        blended = augsynth.SyntheticDataset(TEXTS, pool, ratio=0.5, seed=0, provenance=True)
        rows = list(blended)
        made = [(x, y, meta) for x, y, meta in rows if meta["synthetic"]]
        assert len(made) > 12 and {meta["topic"] for *_, meta in made} == {"t0"}
        for text, label, meta in made[:5]:
            again = lstm.sample(seeds=[meta["seed"]], labels=[int(label)], topics=["t0"], temperature=0.8)
            assert again.x == [text]
        blended.set_epoch(0)
        assert [x for x, _, _ in rows] == read(blended, 1, num_workers=2)


def test_a_text_longer_than_any_real_one_is_drawn_again():
    class Endless(augsynth.Generator):
        modality = "text"

        def build(self, spec):
            self.register_buffer("nothing", torch.zeros(1))

        def learn(self, data):
            pass

        def draw(self, labels, seeds, *, temperature, truncation):
            return ["x" * (5000 if s % 2 else 5) for s in seeds.tolist()]

    gen = augsynth.fit(Endless, ["short texts", "all of them"], progress=False)
    with augsynth.SamplePool(gen, 50) as pool:
        assert set(pool.sample(200, seed=0).x) == {"xxxxx"}


def test_filters_see_what_generators_make(pool):
    seen = []

    def bright(batch):
        seen.append(batch.model_x)
        return batch.model_x.mean((1, 2, 3)) > -10

    blended = augsynth.SyntheticDataset(DATA, pool, ratio=0.5, seed=0, filters=[bright])
    list(blended)
    assert blended.acceptance_rate == 1.0 and seen[0].shape[1:] == (1, 8, 8) and seen[0].min() < -0.2


def test_a_pool_that_is_never_refreshed_is_made_once(vae):
    with augsynth.SamplePool(vae, 30, refresh="never", seed=3) as pool:
        first = pool.fill().sample(20, seed=1).x
        blended = augsynth.SyntheticDataset(DATA, pool, ratio=0.5, seed=0)
        one, two = read(blended, epochs=2), read(blended, epochs=2, num_workers=2)
        assert same(one, two) and same(pool.sample(20, seed=1).x, first)
        assert pool.stats()["made"] == 30
        with augsynth.SamplePool(vae, 30, seed=3) as other:
            assert same(other.fill().sample(20, seed=1).x, first)  # that of the first epoch
            assert pool.nbytes < other.nbytes


def test_continuous_renewal_serves_no_sample_too_often(vae):
    with augsynth.SamplePool(vae, 60, refresh="continuous", reuse=2, batch_size=16) as pool:
        blended = augsynth.SyntheticDataset(DATA, pool, ratio=1.0, seed=0, provenance=True)
        for workers in (0, 2):
            counts: dict = {}
            for epoch in range(4):
                blended.set_epoch(epoch)
                for _, _, meta in DataLoader(blended, batch_size=16, num_workers=workers):
                    for seed in meta["seed"].tolist():
                        counts[seed] = counts.get(seed, 0) + 1
            assert max(counts.values()) <= 2, counts
            assert sum(counts.values()) == 240 and len(counts) >= 120
        assert blended.stats()["pool"]["made"] >= 240


def test_figures(pool):
    blended = augsynth.SyntheticDataset(DATA, pool, ratio=0.5, seed=0)
    assert blended.stats()["samples"] == 0
    read(blended, 2, num_workers=2)
    figures = blended.stats()
    assert figures["samples"] == 120 and 40 < figures["synthetic"] < 80
    assert figures["synthetic_share"] == figures["synthetic"] / 120
    assert figures["reuse"] == figures["synthetic_this_epoch"] / 90 and figures["pool"]["made"] >= 180
    assert figures["samples_per_second"] > 0 and figures["seconds_generating"] > 0 <= figures["seconds_waited"]
    plain = augsynth.SyntheticDataset(DATA, pool.generator, ratio=0.0, seed=0)
    list(plain)
    assert plain.stats()["samples"] == 60 and plain.stats()["synthetic"] == 0 and "pool" not in plain.stats()


def test_memory_is_what_was_asked_for_and_shared(vae):
    with augsynth.SamplePool(vae, 1000) as pool:
        assert pool.nbytes == 2 * 1000 * (64 * 4 + 20)
        assert pool._slots.content.is_shared()
        copied = pickle.loads(pickle.dumps(pool))
        assert copied.generator is None and pool.generator is vae


@pytest.mark.parametrize("refused", [False, True])
def test_shared_memory_is_page_locked_for_a_gpu_and_released(monkeypatch, vae, refused):
    calls = []

    class Cudart:  # what torch.cuda.cudart() returns, with CUDA's error codes
        def cudaHostRegister(self, address, size, flags):  # noqa: N802 - CUDA's name
            calls.append(("register", address, size))
            return 1 if refused else 0

        def cudaHostUnregister(self, address):  # noqa: N802 - CUDA's name
            calls.append(("unregister", address))
            return 0

    monkeypatch.setattr(torch.cuda, "cudart", Cudart)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(type(vae), "device", torch.device("cuda"))
    monkeypatch.setattr(augsynth.SamplePool, "_demand", lambda self: None)
    monkeypatch.setattr(type(vae), "sample", lambda self, *args, **options: None)
    pool = augsynth.SamplePool(vae, 30)
    content = pool._slots.content
    assert pool.pinned is not refused
    pool.close()
    expected = [("register", content.data_ptr(), content.numel() * content.element_size())]
    assert calls == expected + ([] if refused else [("unregister", content.data_ptr())])


def test_a_generator_on_cuda_is_read_from_a_pool(vae):
    class Elsewhere:
        """Samples as a generator on a GPU would; no process but the first may ask it."""

        device = torch.device("cuda", 0)
        spec, capabilities, conditional, plugin, checkpoint_id = vae.spec, vae.capabilities, True, "x/far", "0"
        home = os.getpid()

        def sample(self, n=None, **options):
            assert os.getpid() == self.home, "asked in a worker"
            return vae.sample(n, **options)

    blended = augsynth.SyntheticDataset(DATA, Elsewhere(), ratio=0.5, seed=0, temperature=0.5)
    assert "from a pool of 30, as the generator is on cuda:0" in repr(blended)
    assert blended.stats()["pool"]["made"] == 0, "nothing is made before it is needed"
    assert same(read(blended, num_workers=2), read(blended))
    assert "made in batches by the worker" in repr(augsynth.SyntheticDataset(DATA, vae, ratio=0.5))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 0}, "size=0"),
        ({"size": 2}, "size=2: expected at least one for each of 3"),
        ({"size": 9, "refresh": "often"}, "refresh='often'"),
        ({"size": 9, "reuse": 2}, "reuse is for refresh='continuous'"),
        ({"size": 9, "refresh": "continuous", "reuse": 0}, "reuse=0"),
        ({"size": 9, "labels": {7: 1}}, "no class 7"),
        ({"size": 9, "labels": {0: -1}}, r"labels\[0\]=-1"),
        ({"size": 9, "labels": "rare"}, "labels='rare'"),
        ({"size": 9, "topics": "x"}, "not fitted by topic"),
        ({"size": 9, "timeout": 0}, "timeout=0"),
        ({"size": 9, "temperature": -1}, "temperature=-1"),
        ({"size": 10**12}, r"need [\d,.]+ MiB of shared memory, and /dev/shm has [\d,.]+ MiB free"),
    ],
)
def test_bad_arguments_are_named(vae, arguments, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        augsynth.SamplePool(vae, **arguments)


def test_bad_requests_are_named(vae, pool):
    with (
        augsynth.SamplePool(vae, 9, labels={0: 1, 1: 2}) as some,
        pytest.raises(augsynth.ConfigError, match="no slots for the label '2'"),
    ):
        some.sample(3, labels=2)
    with pytest.raises(augsynth.ConfigError, match="made already"):
        pool.sample(2, temperature=0.5)
    with pytest.raises(augsynth.ConfigError, match="made already"):
        augsynth.SyntheticDataset(DATA, pool, ratio=0.5, temperature=0.5)


def test_every_class_with_a_weight_has_a_slot():
    assert regions([1, 0, 1000], 10) == [1, 0, 9] and sum(regions([3, 3, 3], 100)) == 100
    assert regions([1.0] * 7, 7) == [1] * 7


# ---------------------------------------------------------------------- faults


class Breaks:
    """A generator that fails after so many requests."""

    def __init__(self, gen, error, after=3):
        self._gen, self._error, self._left = gen, error, after
        self.spec, self.capabilities, self.conditional = gen.spec, gen.capabilities, True
        self.batches = []

    def sample(self, n=None, **options):
        self._left -= 1
        if self._left < 0:
            raise self._error
        self.batches.append(len(options.get("seeds", [0])))
        return self._gen.sample(n, **options)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_producer_that_raises_is_heard_of(vae, workers):
    broken = Breaks(vae, ValueError("weights are NaN"))
    # it begins when it is read: else it may break while the blend is made, which looks at one sample
    with augsynth.SamplePool(broken, 60, batch_size=20, timeout=20, start=False) as pool:
        blended = augsynth.SyntheticDataset(DATA, pool, ratio=0.5, seed=0)
        with pytest.raises(augsynth.PoolError, match="producer failed.*ValueError: weights are NaN"):
            read(blended, num_workers=workers)


def test_out_of_memory_halves_the_batch_and_says_so(vae, caplog):
    class Small(Breaks):
        def sample(self, n=None, **options):
            if len(options.get("seeds", ())) > 16:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().sample(n, **options)

    gen = Small(vae, None, after=10**6)
    with augsynth.SamplePool(gen, 60, batch_size=60) as pool, augsynth.SamplePool(vae, 60) as whole:
        torch.testing.assert_close(pool.sample(30, seed=0).x, whole.sample(30, seed=0).x, atol=2e-5, rtol=0)
    assert "batches of 15" in caplog.text and max(gen.batches[1:]) <= 16


def test_every_wait_has_a_limit(vae):
    class Slow(Breaks):
        def sample(self, n=None, **options):
            time.sleep(0.5 if "seeds" in options else 0)
            return super().sample(n, **options)

    with (
        augsynth.SamplePool(Slow(vae, None, after=10**6), 60, batch_size=6, timeout=0.3) as pool,
        pytest.raises(augsynth.PoolError, match=r"waited 0.3 s for the samples of epoch 0.*pool.fill\(\)"),
    ):
        pool.sample(3, seed=0)


def test_a_closed_pool_says_so(vae):
    pool = augsynth.SamplePool(vae, 60)
    pool.close()
    pool.close()
    pool.set_epoch(5)
    with pytest.raises(augsynth.PoolError, match="the pool is closed"):
        pool.sample(3, seed=0)


SCRIPT = """
    import os, sys, time, signal, torch, augsynth
    from torch.utils.data import DataLoader
    from augsynth.modalities.image.tiny import TinyImages
    if __name__ == "__main__":
        data = TinyImages(60, form="tensor-float")
        gen = augsynth.fit("vae", data, steps=2, progress=False, device="cpu")
        pool = augsynth.SamplePool(gen, 20_000, batch_size=64, refresh={refresh!r})
        blended = augsynth.SyntheticDataset(data, pool.fill(), ratio=0.5, seed=0)
        loader = DataLoader(blended, batch_size=4, num_workers=2, persistent_workers=True)
        epoch = 0
        print("ready", flush=True)
        while True:
            blended.set_epoch(epoch)
            for i, batch in enumerate(loader):
                {inside}
            epoch += 1
"""


def children(pid):
    done = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True)
    return [int(line) for line in done.stdout.split()]


@pytest.mark.parametrize("refresh", ["epoch", "continuous"])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_process_leaves_nothing_behind(tmp_path, how, refresh):
    script = tmp_path / "run.py"
    script.write_text(textwrap.dedent(SCRIPT).format(refresh=refresh, inside="pass"))
    before = set(os.listdir("/dev/shm"))
    running = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout.readline() == "ready\n", running.stderr.read()
    time.sleep(1.0)
    workers = children(running.pid)
    assert len(workers) >= 2
    running.send_signal(how)
    running.communicate(timeout=60)
    deadline = time.time() + 30  # a worker looks for its parent every few seconds
    while time.time() < deadline and any(os.path.exists(f"/proc/{pid}") for pid in workers):
        time.sleep(0.1)
    assert not [pid for pid in workers if os.path.exists(f"/proc/{pid}")], "orphans"
    assert {name for name in set(os.listdir("/dev/shm")) - before if not name.startswith("sem.")} == set()


KILLED = """
    import os, signal, time, augsynth
    from torch.utils.data import DataLoader
    from augsynth.modalities.image.tiny import TinyImages
    if __name__ == "__main__":
        data = TinyImages(60, form="tensor-float")
        gen = augsynth.fit("vae", data, steps=2, progress=False, device="cpu")
        blended = augsynth.SyntheticDataset(data, augsynth.SamplePool(gen, 60), ratio=0.5, seed=0)
        loader, told = iter(DataLoader(blended, batch_size=2, num_workers=2)), ""
        next(loader)
        time.sleep(1.0)  # one that is killed with torch's `done_event` locked has torch wait for ever
        os.kill(loader._workers[0].pid, signal.SIGKILL)
        read = 0
        # torch raises from a signal handler, more than once and wherever the program is, or because the worker died
        # while it handed over a batch
        while not read:
            try:
                for _ in loader:
                    time.sleep(0.05)
                loader = ()
                blended.set_epoch(1)
                read = sum(len(x) for x, _ in DataLoader(blended, batch_size=16, num_workers=2))
            except Exception as error:
                told, loader = told or repr(error), ()
        print("error:", told, "read", read, flush=True)
        os._exit(0)
"""


def test_a_killed_worker_is_an_error_not_a_hang(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(textwrap.dedent(KILLED))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert "Error(" in done.stdout and "read 60" in done.stdout, done.stderr


def test_a_signal_that_raises_while_a_fork_waits_leaves_no_lock_held(vae, monkeypatch):
    def interrupt(*_):
        raise RuntimeError("as torch does when a worker dies")

    with augsynth.SamplePool(vae, 60) as pool:
        lock = pool.fill()._filler.lock
        held, free, told = threading.Event(), [], []
        monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: told.append(unraisable.exc_value))

        def hold():
            with lock:
                held.set()
                time.sleep(0.5)
                free.append(False)
            time.sleep(0.2)
            free.append(lock.acquire(timeout=10.0))
            if free[-1]:
                lock.release()

        other = threading.Thread(target=hold)
        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            other.start()
            held.wait()
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            child = os.fork()
            if not child:
                os._exit(0 if free else 1)  # not before the batch was done
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert os.waitpid(child, 0)[1] == 0
        other.join()
        assert free == [False, True] and "as torch does" in str(told[0])
        assert len(pool.sample(30, seed=0)) == 30


def test_two_pools_in_one_process(vae, lstm):
    with augsynth.SamplePool(vae, 60) as first, augsynth.SamplePool(lstm, 60) as second:
        a = augsynth.SyntheticDataset(DATA, first, ratio=0.5, seed=0)
        b = augsynth.SyntheticDataset(TEXTS, second, ratio=0.5, seed=0)
        assert len(read(a, num_workers=2)) == 120 and len(read(b, num_workers=2)) == 96


def test_a_share_of_the_time_is_kept_while_nobody_waits(vae):
    with (
        augsynth.SamplePool(vae, 400, seed=3, batch_size=50, share=0.2) as slow,
        augsynth.SamplePool(vae, 400, seed=3) as full,
    ):
        slow.fill()
        began, busy = time.perf_counter(), slow._board.cells[BUSY_NS].item()
        while int(slow._board.cells[FILLED + 1]) != 1:  # the next epoch's, made ahead
            assert time.perf_counter() - began < 120, slow._board.failure
            time.sleep(0.005)
        busy = (slow._board.cells[BUSY_NS].item() - busy) / 1e9
        # all but the part that was begun already, and the last, after which nothing is left to wait for
        assert time.perf_counter() - began > 0.75 * busy / 0.2 * 6 / 8
        for pool in (slow, full):
            pool.set_epoch(1)
        assert torch.equal(slow.fill().sample(30, seed=1).x, full.fill().sample(30, seed=1).x)


@pytest.mark.parametrize("refresh", ["epoch", "continuous"])
def test_whoever_waits_does_not_wait_for_a_pause(vae, refresh):
    reuse = {"reuse": 1} if refresh == "continuous" else {}
    with augsynth.SamplePool(vae, 60, refresh=refresh, batch_size=20, share=1e-6, timeout=60.0, **reuse) as pool:
        blended = augsynth.SyntheticDataset(DATA, pool, ratio=1.0, seed=0)
        assert len(read(blended, epochs=4)) == 240
        if refresh == "epoch":
            pool.set_epoch(9)  # in the pause after a part of another epoch's
            pool.fill()


@pytest.mark.parametrize("share", [0, -0.5, 1.5, True, "half", float("nan")])
def test_a_share_is_above_0_and_at_most_1(vae, share):
    with pytest.raises(augsynth.ConfigError, match=r"share=.*expected a number above 0, up to 1"):
        augsynth.SamplePool(vae, 60, share=share)
