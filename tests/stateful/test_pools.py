"""Whatever is asked of a pool, in whatever order: no sample is torn, of another label, or of another epoch."""

import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import augsynth
from augsynth.modalities.image.tiny import TinyImages
from tests.support import quick_fit

VAE = quick_fit("vae", TinyImages(24, form="tensor-float"), steps=5, width=8)
ASKED = st.lists(st.integers(0, 2), min_size=1, max_size=6)


class PoolMachine(RuleBasedStateMachine):
    """Each sample is held against the generator's own, made of the seed that the pool names."""

    refresh = "epoch"
    options = {}

    def __init__(self):
        super().__init__()
        self.open()

    def open(self):
        self.pool = augsynth.SamplePool(VAE, 30, seed=4, batch_size=8, refresh=self.refresh, timeout=60, **self.options)
        self.epoch, self.asked = 0, 0

    def teardown(self):
        self.pool.close()

    def take(self, labels, seed):
        batch = self.pool.sample(labels=labels, seed=seed)
        self.asked += len(labels)
        assert torch.as_tensor(batch.y).tolist() == labels
        again = VAE.sample(seeds=[row["seed"] for row in batch.meta], labels=labels)
        torch.testing.assert_close(batch.x, again.x, atol=2e-5, rtol=0)
        return batch

    @rule(labels=ASKED, seed=st.integers(0, 5))
    def sample(self, labels, seed):
        self.take(labels, seed)

    @rule()
    def fill(self):
        self.pool.fill()

    @rule()
    def closed_and_made_anew(self):
        self.pool.close()
        self.pool.close()
        self.open()

    @invariant()
    def figures_are_sound(self):
        figures = self.pool.stats()
        assert figures["made"] >= 0 and figures["waited"] >= 0.0


class EpochPool(PoolMachine):
    """The model: (epoch, labels, seed) → the seeds of the samples."""

    seen = {}  # of all examples

    @rule(epoch=st.integers(0, 4))
    def set_epoch(self, epoch):
        self.pool.set_epoch(epoch)
        self.epoch = epoch

    @rule(labels=ASKED, seed=st.integers(0, 5))
    def sample_again(self, labels, seed):
        made = [row["seed"] for row in self.take(labels, seed).meta]
        assert self.seen.setdefault((self.epoch, tuple(labels), seed), made) == made


class RenewedPool(PoolMachine):
    """No sample is served more often than was said."""

    refresh = "continuous"
    options = {"reuse": 3}

    def open(self):
        super().open()
        self.served = {}

    def take(self, labels, seed):
        batch = super().take(labels, seed)
        for row in batch.meta:
            self.served[row["seed"]] = self.served.get(row["seed"], 0) + 1
        assert max(self.served.values()) <= 3
        return batch


TestEpochPool, TestRenewedPool = EpochPool.TestCase, RenewedPool.TestCase
TestEpochPool.settings = TestRenewedPool.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
