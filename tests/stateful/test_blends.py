"""Whatever is done to a blend, in whatever order: a sample is a function of seed, epoch, scale and position."""

import pickle

import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from augsynth import SyntheticDataset, SyntheticIterableDataset
from augsynth.modalities.image.tiny import TinyImages
from tests.support import quick_fit

pytestmark = pytest.mark.filterwarnings("ignore::augsynth.errors.EpochWarning")

REAL = TinyImages(30, form="tensor-float")
VAE = quick_fit("vae", REAL, steps=5, width=8)
EPOCHS, SCALES = st.integers(0, 3), st.sampled_from([0.0, 0.5, 1.0])


def same(a, b):
    """Whether two samples are alike, to the rounding of batches of other sizes."""
    (x, y, meta), (other, label, about) = a, b
    return torch.allclose(x, other, atol=2e-5, rtol=0) and int(y) == int(label) and meta == about


class Blend(RuleBasedStateMachine):
    """The model: a mapping (epoch, scale, position) → sample, filled in as samples are seen."""

    def __init__(self):
        super().__init__()
        self.blended = SyntheticDataset(REAL, VAE, ratio=0.5, seed=1, provenance=True)
        self.epoch, self.scale = 0, 1.0
        self.saved = {}
        self.kept = None

    seen = {}  # of all examples: whatever the road, the same

    def check(self, index, sample, epoch, scale):
        assert same(self.seen.setdefault((epoch, scale, index), sample), sample)
        x, y, meta = sample
        real = REAL[index]
        assert int(y) == int(real[1]), "the label is not that of the position"
        assert meta["synthetic"] or torch.equal(x, real[0]), "a real sample is not the real one"
        assert scale or not meta["synthetic"], "a synthetic sample at scale 0"

    @rule(epoch=EPOCHS)
    def set_epoch(self, epoch):
        self.blended.set_epoch(epoch)
        self.epoch = epoch

    @rule(scale=SCALES)
    def set_scale(self, scale):
        self.blended.ratio_scale = scale
        self.scale = scale

    @rule(index=st.integers(0, 29))
    def read_one(self, index):
        self.check(index, self.blended[index], self.epoch, self.scale)

    @rule(indices=st.lists(st.integers(0, 29), max_size=12))
    def read_several(self, indices):
        for index, sample in zip(indices, self.blended.__getitems__(indices), strict=True):
            self.check(index, sample, self.epoch, self.scale)

    @rule(epoch=EPOCHS, scale=SCALES, index=st.integers(0, 29))
    def read_apart(self, epoch, scale, index):
        other = self.blended.apart()
        other.set_epoch(epoch)
        other.ratio_scale = scale
        self.check(index, other[index], epoch, scale)

    @rule()
    def save(self):
        self.kept = (self.blended.state_dict(), self.epoch, self.scale)

    @precondition(lambda self: self.kept is not None)
    @rule(anew=st.booleans())
    def resume(self, anew):
        if anew:
            self.blended = SyntheticDataset(REAL, VAE, ratio=0.5, seed=1, provenance=True)
        state, self.epoch, self.scale = self.kept
        self.blended.load_state_dict(state)

    @rule()
    def move_to_another_process(self):
        self.blended = pickle.loads(pickle.dumps(self.blended))

    @invariant()
    def it_says_where_it_stands(self):
        assert (self.blended.epoch, self.blended.ratio_scale) == (self.epoch, self.scale)
        assert len(self.blended) == 30 and self.blended.targets == [int(y) for _, y in REAL]


class Stream(RuleBasedStateMachine):
    """The model: the samples of each epoch in their order, of which ``position`` were read."""

    def __init__(self):
        super().__init__()
        self.begin()
        self.epoch, self.position, self.rest, self.kept = 0, 0, None, None

    whole = {}  # epoch → its samples, read without interruption

    def begin(self):
        self.stream = SyntheticIterableDataset(list(REAL), VAE, ratio=0.5, seed=1, provenance=True, buffer_size=7)

    def of_epoch(self, epoch):
        if epoch not in self.whole:
            other = SyntheticIterableDataset(list(REAL), VAE, ratio=0.5, seed=1, provenance=True, buffer_size=30)
            other.set_epoch(epoch)
            self.whole[epoch] = list(other)
        return self.whole[epoch]

    @rule(epoch=EPOCHS)
    def set_epoch(self, epoch):
        self.stream.set_epoch(epoch)
        if epoch != self.epoch or self.rest is not None:  # what was loaded and not yet read stays for its own epoch
            self.position = 0
        self.epoch, self.rest = epoch, None

    @rule(n=st.integers(1, 40))
    def read_on(self, n):
        if self.rest is None:
            self.rest = iter(self.stream)
        else:
            assert self.stream.state_dict()["position"] == self.position
        wanted = self.of_epoch(self.epoch)
        for _ in range(n):
            one = next(self.rest, None)
            if one is None:
                assert self.position == len(wanted), "the stream ended early"
                self.rest, self.position = None, 0
                return
            assert same(one, wanted[self.position])
            self.position += 1

    @precondition(lambda self: self.rest is not None)
    @rule()
    def save(self):
        self.kept = (self.stream.state_dict(), self.epoch, self.position)

    @precondition(lambda self: self.kept is not None)
    @rule(anew=st.booleans())
    def resume(self, anew):
        if anew:
            self.begin()
        state, self.epoch, self.position = self.kept
        self.stream.load_state_dict(state)
        self.rest = None

    @precondition(lambda self: self.rest is not None)
    @rule()
    def begin_again(self):
        self.rest, self.position = None, 0


MACHINES = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestBlend, TestStream = Blend.TestCase, Stream.TestCase
TestBlend.settings = TestStream.settings = MACHINES
