"""Trials and recordings on disk, killed at any byte: what is read back is what was written whole, and no more."""

import json
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import augsynth
from augsynth.modalities.image.tiny import TinyImages
from augsynth.utility.trials import TrialStore
from tests.support import quick_fit

KEYS = st.tuples(st.sampled_from(["real", "real + ä", 'a "b"\n']), st.integers(0, 3))
RESULTS = st.fixed_dictionaries({"score": st.floats(allow_nan=False), "told": st.text(max_size=8)})


class Trials(RuleBasedStateMachine):
    """The model: a dict, and the bytes of the file after each trial."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.file = self.folder / "trials.jsonl"
        self.open()
        self.model, self.order = {}, []
        self.header = self.file.stat().st_size

    def open(self):
        self.store = TrialStore(self.folder, {"steps": 3})

    def teardown(self):
        shutil.rmtree(self.folder)

    @rule(key=KEYS, result=RESULTS)
    def add(self, key, result):
        self.store.add(key, result)
        self.model[key] = result
        self.order.append((key, result, self.file.stat().st_size))

    @rule(share=st.floats(0, 1))
    def killed_while_writing(self, share):
        size = self.file.stat().st_size
        cut = self.header + round(share * (size - self.header))
        with self.file.open("r+b") as file:
            file.truncate(cut)
        # a line of which but the line break is missing is whole
        self.order = [one for one in self.order if one[2] - 1 <= cut]
        self.model = {key: result for key, result, _ in self.order}
        self.open()
        sizes = [len(line) + 1 for line in self.file.read_bytes().split(b"\n")[1:-1]]
        ends = [self.header + sum(sizes[: i + 1]) for i in range(len(sizes))]
        self.order = [(key, result, end) for (key, result, _), end in zip(self.order, ends, strict=True)]

    @rule()
    def open_again(self):
        self.open()

    @rule()
    def open_with_other_settings(self):
        before = self.file.read_bytes()
        with pytest.raises(augsynth.ConfigError, match="differ in: steps"):
            TrialStore(self.folder, {"steps": 4})
        assert self.file.read_bytes() == before

    @invariant()
    def all_is_there(self):
        assert self.store.done == self.model
        assert TrialStore.read(self.folder).keys() == self.model.keys()


LEFT = [1000]


def judge(batch):
    """A filter that keeps all, and fails when it was asked as often as ``LEFT`` says."""
    LEFT[0] -= 1
    if LEFT[0] < 0:
        raise RuntimeError("killed")
    return [True] * len(batch)


VAE = quick_fit("vae", TinyImages(24), steps=5, width=8)
N, SHARD = 20, 3


def written(folder):
    """What a recording holds, file by file."""
    manifest = json.loads((folder / "recording.json").read_text(encoding="utf-8"))
    return [(one["file"], one["sha256"]) for one in manifest["shards"]]


class Recording(RuleBasedStateMachine):
    """The model: the shards of a recording that nothing disturbed, of which as many are there as were finished."""

    undisturbed = None

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp()) / "recorded"
        LEFT[0] = 1000
        if Recording.undisturbed is None:
            self.record()
            Recording.undisturbed = written(self.folder)
            shutil.rmtree(self.folder)
        self.done = None

    def teardown(self):
        shutil.rmtree(self.folder.parent)

    def record(self):
        augsynth.record(VAE, N, self.folder, shard_size=SHARD, seed=2, filters=[judge], progress=False)

    @rule(after=st.integers(0, 8))
    def go_on_until_it_fails(self, after):
        LEFT[0] = after
        missing = len(self.undisturbed) - (self.done or 0)
        if after < missing:
            with pytest.raises(RuntimeError, match="killed"):
                self.record()
        else:
            self.record()
        self.done = (self.done or 0) + min(after, missing)

    @rule(junk=st.binary(max_size=20))
    def killed_while_a_file_was_written(self, junk):
        if self.done is not None and self.done < len(self.undisturbed):  # a shard that the manifest does not know
            (self.folder / f"part-{self.done:05d}.parquet").write_bytes(junk)

    @rule()
    def go_on_with_another_seed(self):
        if self.done is None:
            return
        with pytest.raises(augsynth.ConfigError, match="other settings: seed=3, there 2"):
            augsynth.record(VAE, N, self.folder, shard_size=SHARD, seed=3, filters=[judge], progress=False)

    @invariant()
    def what_is_there_is_what_was_finished(self):
        if self.done is None:
            return
        assert written(self.folder) == self.undisturbed[: self.done]
        if self.done == len(self.undisturbed):
            assert len(augsynth.recorded(self.folder)) == N


TestTrials, TestRecording = Trials.TestCase, Recording.TestCase
TestTrials.settings = settings(max_examples=30, stateful_step_count=15, deadline=None)
TestRecording.settings = settings(max_examples=10, stateful_step_count=8, deadline=None)
