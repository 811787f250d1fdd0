"""Arms at equal steps: paired, parallel, resumed, stopped when clear, and honest about what is not."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import torch
from torch.utils.data import Subset

import augsynth
from augsynth.modalities.image.tiny import TinyImages
from augsynth.modalities.text.tiny import TinyTexts
from augsynth.utility import looks
from augsynth.utility.comparison import compare, mean_interval
from augsynth.utility.trials import TrialStore
from tests.support import quick_fit

REAL, TEST = TinyImages(60, form="tensor-float"), TinyImages(90, form="tensor-float", seed=1)
QUICK = {"steps": 20, "seeds": 3, "progress": False}


def by_chance(level):
    """A training function whose classifiers are right with a probability that the dataset tells."""

    def train(dataset, *, steps, batch_size, seed, device):
        generator = np.random.default_rng([seed, int(1000 * dataset.level)])

        def predict(inputs):
            right = generator.random(len(inputs)) < dataset.level
            wanted = np.array([TEST[i][1] for i in range(len(inputs))])
            return torch.from_numpy(np.where(right, wanted, (wanted + 1) % 3))

        return predict

    return train


class Arm(list):
    """A dataset that is worth as much as it says."""

    def __init__(self, level):
        super().__init__(REAL[i] for i in range(len(REAL)))
        self.level = level


@pytest.mark.parametrize(
    ("levels", "verdict"), [((0.6, 0.9), "helps"), ((0.9, 0.6), "hurts"), ((0.75, 0.75), "no difference")]
)
def test_the_verdict_follows_the_scores(levels, verdict):
    arms = {"plain": Arm(levels[0]), "more": Arm(levels[1] + 1e-9)}
    found = augsynth.uplift(REAL, TEST, arms, train=by_chance(0), **{**QUICK, "seeds": 6, "jobs": 1})
    assert found.verdict == verdict and found.baseline == "plain" and found.candidate == "more"
    assert found.stopped_early == (verdict != "no difference")
    more = found.arms["more"]
    assert more.interval[0] <= more.mean <= more.interval[1]
    assert more.gain[0] == pytest.approx(np.mean(np.array(more.scores) - found.arms["plain"].scores))
    assert set(more.per_class) == {"0", "1", "2"}


def test_false_alarms_stay_below_one_in_twenty_although_it_looks_early():
    generator = np.random.default_rng(0)
    alarms = 0
    for _ in range(600):
        plan, a, b = looks.Looks(8, True), generator.normal(0.5, 0.05, 8), generator.normal(0.5, 0.05, 8)
        for done in range(looks.FIRST, 9):
            if (
                plan.is_due(done)
                and compare(a[:done], b[:done], what="", level=plan.level(done)).word != "no difference"
            ):
                alarms += 1
                break
    assert alarms / 600 < 0.075  # 0.05, and three standard errors


def test_a_generator_makes_the_standard_arms(tmp_path):
    gen = quick_fit("vae", REAL, steps=20)
    classic = augsynth.create("transform", "torchvision")
    found = augsynth.uplift(REAL, TEST, gen, ratio=0.5, classic=classic, out=tmp_path, **QUICK)
    assert list(found.arms) == ["real", "real + classic", "real + synthetic", "real + classic + synthetic"]
    assert (found.baseline, found.candidate) == ("real + classic", "real + classic + synthetic")
    numbers = json.loads((tmp_path / "uplift.json").read_text())
    assert numbers["verdict"] == found.verdict and numbers["arms"]["real"]["scores"] == found.arms["real"].scores
    page = (tmp_path / "uplift.html").read_text()
    assert "http://" not in page and "https://" not in page and found.verdict.split()[0] in page.lower()
    # another process count, and nothing on disk: the same numbers
    again = augsynth.uplift(REAL, TEST, gen, ratio=0.5, classic=classic, jobs=1, **QUICK)
    assert {k: a.scores for k, a in again.arms.items()} == {k: a.scores for k, a in found.arms.items()}


def test_texts_too():
    data, test = Subset(TinyTexts(96), range(48)), Subset(TinyTexts(96), range(48, 96))
    gen = quick_fit("lstm", data, steps=20, batch_size=16)
    found = augsynth.uplift(data, test, gen, **QUICK)
    assert found.arms["real"].mean > 0.5 and any("Classic augmentation was not" in text for text in found.caveats)


def test_resumption_reads_what_is_done(tmp_path):
    asked = []

    def arm(seed):
        asked.append(seed)
        return REAL

    arms = {"a": arm, "b": REAL}
    first = augsynth.uplift(REAL, TEST, arms, out=tmp_path, jobs=1, **QUICK)
    assert len(asked) == 3
    with (tmp_path / "trials.jsonl").open("a") as file:
        file.write('{"arm": "b", "se')  # a line that a kill tore
    assert augsynth.uplift(REAL, TEST, arms, out=tmp_path, jobs=1, **QUICK).arms == first.arms
    assert len(asked) == 3, "nothing was trained again"
    with pytest.raises(augsynth.ConfigError, match=r"other settings \(they differ in: steps\)"):
        augsynth.uplift(REAL, TEST, arms, out=tmp_path, **{**QUICK, "steps": 21})


def test_resumption_knows_transform_and_generator_by_what_they_are(tmp_path):
    gen = quick_fit("vae", REAL, steps=20)

    def found(source, degrees, **options):  # as a new process would, with a transform of its own
        turned = augsynth.create("transform", "torchvision", transforms={"name": "RandomRotation", "degrees": degrees})
        return augsynth.uplift(REAL, TEST, source, classic=[turned, _negative], out=tmp_path, **options, **QUICK)

    first = found(gen, 6)
    assert found(gen, 6).arms == first.arms and " at 0x" not in (tmp_path / "trials.jsonl").read_text()
    assert len((tmp_path / "trials.jsonl").read_text().splitlines()) == 1 + 4 * QUICK["seeds"]
    with pytest.raises(augsynth.ConfigError, match=r"other settings \(they differ in: classic\)"):
        found(gen, 7)
    with pytest.raises(augsynth.ConfigError, match=r"other settings \(they differ in: generator\)"):
        found(quick_fit("vae", REAL, steps=21), 6)
    with pytest.raises(augsynth.ConfigError, match=r"other settings \(they differ in: mode\)"):
        found(gen, 6, blend={"mode": "vary"})


def test_the_standard_arms_blend_as_asked():
    gen, seen = quick_fit("vae", REAL, steps=20), []

    def train(dataset, *, steps, batch_size, seed, device):
        seen.append(getattr(dataset, "mode", None))
        return lambda inputs: torch.zeros(len(inputs), dtype=torch.int64)

    options = {**QUICK, "train": train, "jobs": 1}
    found = augsynth.uplift(REAL, TEST, gen, blend={"mode": "vary"}, **options)
    assert seen == [None, "vary"] * QUICK["seeds"] and found.settings["mode"] == "'vary'"
    told = "The generator was fitted on other samples"
    assert not any(told in one for one in found.caveats)
    other = augsynth.uplift(TinyImages(60, form="tensor-float", seed=2), TEST, gen, **options)
    assert sum(told in one and gen.fit_info["data_fingerprint"] in one for one in other.caveats) == 1
    with pytest.raises(augsynth.ConfigError, match=r"blend=\{'mode': 'vary'\} is for the arms of a generator"):
        augsynth.uplift(REAL, TEST, {"a": REAL, "b": REAL}, blend={"mode": "vary"}, **options)


def _negative(x):
    return 1 - x


SCRIPT = """
    import sys, augsynth
    from augsynth.modalities.image.tiny import TinyImages
    real, test = TinyImages(60, form="tensor-float"), TinyImages(90, form="tensor-float", seed=1)
    found = augsynth.uplift(real, test, {"a": real, "b": real}, seeds=6, steps=int(sys.argv[2]), out=sys.argv[1],
                            jobs=2, stop_early=False, progress=False)
    print(found.settings["seeds"])
"""


def _under_way(folder):
    """A comparison in a process of its own, in the midst of its trials; and its command."""
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(folder), "60"]
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE)
    trials = folder / "trials.jsonl"
    began = time.monotonic()
    while not (trials.exists() and len(trials.read_text().splitlines()) >= 4):
        assert time.monotonic() - began < 120 and process.poll() is None
        time.sleep(0.02)
    return process, command


def test_jobs_end_with_a_process_that_is_killed(tmp_path):
    process, _ = _under_way(tmp_path)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)  # ends when no job holds the other end any longer


def test_a_kill_costs_the_trials_under_way_and_no_more(tmp_path):
    process, command = _under_way(tmp_path)
    trials = tmp_path / "trials.jsonl"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = trials.read_text().splitlines()[:4]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == "6"
    lines = trials.read_text().splitlines()
    assert lines[:4] == done and len(lines) == 13
    assert not [line for line in lines[1:] if lines.count(line) > 1]


def test_classic_augmentation_is_chosen_on_held_out_samples():
    found = augsynth.tune_classic(REAL, {"noise": lambda x: torch.rand_like(x)}, seeds=2, steps=40, progress=False)
    assert found.name == "none" and found.transform is None and set(found.scores) == {"none", "noise"}
    found = augsynth.tune_classic(REAL, validation=TEST, seeds=2, steps=2, progress=False)
    assert {"none", "shift", "shift + flip"} <= set(found.scores)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seeds": 1}, "seeds=1: a confidence interval needs at least 2"),
        ({"metric": "auc"}, "metric='auc': expected one of"),
        ({"jobs": 0}, "jobs=0: expected a whole number"),
        ({"arms": {"a": REAL}}, "expected a fitted generator, or a mapping of two or more"),
        ({"arms": {"a": REAL, "b": 3}}, "arm 'b' is of type int"),
        ({"candidate": "c"}, "candidate='c': there is no such arm; there are: a, b"),
        ({"candidate": "a"}, "baseline and candidate are both 'a'"),
        ({"holdout": Subset(TEST, [i for i in range(90) if TEST[i][1] != 2])}, "without a sample in the holdout: 2"),
        ({"train": lambda dataset, **_: lambda x: torch.zeros(3)}, r"predict returned shape \(3,\) for 90 inputs"),
    ],
)
def test_bad_input_is_named(change, message):
    arguments = {"real": REAL, "holdout": TEST, "arms": {"a": REAL, "b": REAL}, **QUICK, "jobs": 1, **change}
    with pytest.raises((augsynth.ConfigError, augsynth.DataError), match=message):
        augsynth.uplift(**arguments)


def test_intervals_of_one_value_are_unbounded():
    assert mean_interval([0.5]) == (0.5, -np.inf, np.inf)


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(augsynth.ConfigError, match="cannot be written"):
        TrialStore(tmp_path / "file" / "out", {})


def test_pseudo_labels_are_an_arm_like_any_other(tmp_path):
    gen = quick_fit("vae", REAL, steps=20)
    more = [x for x, _ in TinyImages(150, form="tensor-float", seed=2)]
    found = augsynth.uplift(REAL, TEST, gen, unlabelled=more, precision=0.6, stop_early=False, **QUICK)
    name = "real + pseudo-labels"
    assert list(found.arms)[-1] == name and found.candidate == "real + synthetic"
    given = int(found.settings["pseudo-labels"].split()[0])
    assert given > 0 and f"Labels from a judge for {given} of 150 real samples" in found.sentence
    apart = [a - b for a, b in zip(found.arms[name].scores, found.arms[found.candidate].scores, strict=True)]
    assert f"{100 * sum(apart) / len(apart):+.2f}" in found.sentence
    own = {"real": REAL, "twice": REAL}
    given = {"precision": 0.6, "stop_early": False, "out": tmp_path, **QUICK}
    again = augsynth.uplift(REAL, TEST, own, unlabelled=more, **given)
    with pytest.raises(augsynth.ConfigError, match="other settings .*unlabelled"):
        augsynth.uplift(REAL, TEST, own, unlabelled=more[::-1], **given)
    assert again.candidate == "twice" and again.arms[name].scores == found.arms[name].scores
    with pytest.raises(augsynth.ConfigError, match="is the name of the arm that unlabelled= adds"):
        augsynth.uplift(REAL, TEST, {"real": REAL, name: REAL}, unlabelled=more, precision=0.6, **QUICK)


def test_no_label_that_is_sure_enough_is_said():
    gen = quick_fit("vae", REAL, steps=20)
    noise = torch.rand(30, *REAL[0][0].shape, generator=torch.Generator().manual_seed(0))
    found = augsynth.uplift(REAL, TEST, gen, unlabelled=list(noise), precision=0.999, **QUICK)
    assert "Of 30 real samples without labels none could be given one" in found.sentence
