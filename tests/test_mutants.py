"""One deliberately wrong plugin for each check: every check catches its own, and says what is broken."""

import os
import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from augsynth_template.gaussian import Gaussian
from augsynth_template.speckle import Speckle

import augsynth
from augsynth.testing import checks, parametrize_with_checks, run_checks
from augsynth.testing.running import EXPECTED, FAILED, NOT_APPLICABLE, PASSED


class Right(Gaussian):
    modality = "image"


class OtherShape(Right):
    def draw(self, labels, seeds, *, temperature, truncation):
        return super().draw(labels, seeds, temperature=temperature, truncation=truncation)[..., 1:]


class FirstCallIsAnother(Right):
    calls = 0

    def draw(self, labels, seeds, *, temperature, truncation):
        self.calls += 1
        return super().draw(labels, seeds, temperature=temperature, truncation=truncation) * 0.9**self.calls


class LooksAtItsNeighbours(Right):
    def draw(self, labels, seeds, *, temperature, truncation):
        x = super().draw(labels, seeds, temperature=temperature, truncation=truncation)
        return x - x.mean(0, keepdim=True)


class AnotherWithoutGradients(Right):
    def draw(self, labels, seeds, *, temperature, truncation):
        x = super().draw(labels, seeds, temperature=temperature, truncation=truncation)
        return x if torch.is_grad_enabled() else x * 0.5


class ForgetsLabels(Right):
    def sample(self, n=None, *, labels=None, **options):
        if isinstance(labels, list):
            labels = labels[::-1]
        return super().sample(n, labels=labels, **options)


class SwallowsTopics(Right):
    def sample(self, n=None, *, topics=None, **options):
        return super().sample(n, **options)


class SwallowsLabels(Right):
    def sample(self, n=None, *, labels=None, **options):
        return super().sample(n, labels=labels if self.spec.labels is not None else None, **options)


class SeedsForAll(Right):
    def learn(self, data):
        torch.manual_seed(0)
        super().learn(data)


class FitsByChance(Right):
    def learn(self, data):
        super().learn(data)
        self.mean += int.from_bytes(os.urandom(2), "big") / 2**18


class AnyTemperature(Right):
    def sample(self, n=None, *, temperature=1.0, **options):
        return super().sample(n, temperature=max(0.0, temperature), **options)


class KeepsAnAttribute(Right):
    shift = 0.0

    def learn(self, data):
        super().learn(data)
        self.shift = 0.3

    def draw(self, labels, seeds, *, temperature, truncation):
        return (super().draw(labels, seeds, temperature=temperature, truncation=truncation) + self.shift).clamp(-1, 1)


class OtherSeedsInProvenance(Right):
    def sample(self, n=None, **options):
        batch = super().sample(n, **options)
        return replace(batch, meta=[{**row, "seed": row["seed"] + 1} for row in batch.meta])


class OneLatentTooFew(Right):
    def encode_batch(self, x, labels):
        return x.flatten(1)[1:]


class AnotherInAnotherProcess(KeepsAnAttribute):
    def __getstate__(self):
        return {**self.__dict__, "shift": 0.0}


class ChangesItsMind(Right):
    def build(self, spec, **config):
        super().build(spec, **config)
        type(self).modality = "audio"


class TakesAnySetting(Right):
    def build(self, spec, **config):
        super().build(spec)


class LosesItsLabels(Right):
    def learn(self, data):
        super().learn(data)
        self.spec = replace(self.spec, labels=None)


MUTANTS = {
    "check_samples_have_the_form_of_the_data": OtherShape,
    "check_same_seed_same_sample": FirstCallIsAnother,
    "check_sample_depends_on_its_seed_not_its_batch": LooksAtItsNeighbours,
    "check_the_inference_form_makes_the_same": AnotherWithoutGradients,
    "check_labels_are_kept": ForgetsLabels,
    "check_topics": SwallowsTopics,
    "check_unlabelled_data": SwallowsLabels,
    "check_global_rngs_are_left_alone": SeedsForAll,
    "check_fit_is_reproducible": FitsByChance,
    "check_temperature_and_truncation": AnyTemperature,
    "check_checkpoint": KeepsAnAttribute,
    "check_provenance": OtherSeedsInProvenance,
    "check_capabilities": OneLatentTooFew,
    "check_pickles_for_spawned_workers": AnotherInAnotherProcess,
    "check_modality_is_declared": ChangesItsMind,
    "check_settings": TakesAnySetting,
    "check_blends": LosesItsLabels,
}


# ---------------------------------------------------------------------- transforms


class RightTransform(Speckle):
    modality = "image"


class NoTransform:
    modality = "image"

    def __init__(self, **settings):
        pass

    def __call__(self, x, *, seed=None):
        return x


class MakesFloats(RightTransform):
    def __call__(self, x, *, seed=None):
        return np.asarray(super().__call__(x, seed=seed), dtype=np.float64)


class CountsItsCalls(RightTransform):
    calls = 0

    def apply(self, image, seed):
        self.calls += 1
        return super().apply(image, seed + self.calls)


class DrawsFromNumPy(RightTransform):
    def apply(self, image, seed):
        np.random.rand()
        return super().apply(image, seed)


class WorksInPlace(RightTransform):
    def __call__(self, x, *, seed=None):
        if hasattr(x, "fill_"):
            x.fill_(0)
        elif isinstance(x, np.ndarray):
            x[:] = 0
        return super().__call__(x, seed=seed)


class StrongerInAnotherProcess(RightTransform):
    def __getstate__(self):
        return {**self.__dict__, "amount": 0.7}


class LeavesNothing(augsynth.authoring.TextTransform):
    modality = "text"

    def apply(self, text, seed):
        return "" if random.Random(seed).random() < 0.5 else text


# ---------------------------------------------------------------------- filters


class RightFilter:
    modality = "image"

    def __call__(self, batch):
        return batch.model_x.flatten(1).mean(1) > 0


class OneVerdictForAll(RightFilter):
    def __call__(self, batch):
        return super().__call__(batch).all()


class ComparesWithItsNeighbours(RightFilter):
    def __call__(self, batch):
        mean = batch.model_x.flatten(1).mean(1)
        return mean > mean.mean()


class MendsWhatItSees(RightFilter):
    def __call__(self, batch):
        verdicts = super().__call__(batch)
        batch.model_x.clamp_(-0.5, 0.5)
        return verdicts


class RejectsByChance(RightFilter):
    def __call__(self, batch):
        return super().__call__(batch) & (torch.rand(len(batch)) < 0.5)


class StricterInAnotherProcess(RightFilter):
    def __init__(self):
        self.least = -1.0

    def __call__(self, batch):
        return batch.model_x.flatten(1).mean(1) > self.least

    def __setstate__(self, state):
        self.least = 1.0


MUTANTS = {
    "generator": MUTANTS,
    "transform": {
        "check_is_a_transform": NoTransform,
        "check_keeps_type_dtype_and_range": MakesFloats,
        "check_follows_its_seed_alone": CountsItsCalls,
        "check_leaves_global_rngs_alone": DrawsFromNumPy,
        "check_does_not_change_its_input": WorksInPlace,
        "check_pickles_for_spawned_workers": StrongerInAnotherProcess,
        "check_the_smallest_inputs": LeavesNothing,
    },
    "filter": {
        "check_gives_one_verdict_for_each_sample": OneVerdictForAll(),
        "check_judges_each_sample_by_itself": ComparesWithItsNeighbours(),
        "check_does_not_change_the_batch": MendsWhatItSees(),
        "check_global_rngs_are_left_alone": RejectsByChance(),
        "check_pickles_for_spawned_workers": StricterInAnotherProcess(),
    },
}
CASES = [(kind, name) for kind, own in MUTANTS.items() for name in own]


@parametrize_with_checks("generator", Right)
def test_what_they_are_made_of_is_right(check):
    check()


@parametrize_with_checks("transform", RightTransform)
def test_so_is_the_transform(check):
    check()


@parametrize_with_checks("filter", RightFilter())
def test_so_is_the_filter(check):
    check()


def test_every_check_has_a_mutant():
    for kind, count in (("generator", 17), ("transform", 7), ("filter", 5)):
        names = [check.__name__ for check in checks(kind)]
        assert set(names) == set(MUTANTS[kind]) and len(names) == count


@pytest.mark.filterwarnings("ignore::augsynth.AugsynthWarning")
@pytest.mark.parametrize(("kind", "name"), CASES)
def test_a_check_catches_its_mutant(kind, name):
    check = next(one for one in checks(kind) if one.__name__ == name)
    with pytest.raises((AssertionError, augsynth.AugsynthError)) as caught:
        check(MUTANTS[kind][name])
    assert str(caught.value).strip(), "it says which promise is broken"


class Unconditional(Right):
    conditions = frozenset()


def test_outcomes_are_told():
    found = {one.check: one for one in run_checks("generator", KeepsAnAttribute)}
    assert len(found) == 17 and found["check_checkpoint"].status == FAILED
    assert "it draws otherwise once loaded" in found["check_checkpoint"].told
    assert sum(one.status == PASSED for one in found.values()) >= 15
    expected = {"check_checkpoint": "known", "check_settings": "thought to be"}
    strict = {one.check: one for one in run_checks("generator", KeepsAnAttribute, expected=expected)}
    assert strict["check_checkpoint"].status == EXPECTED and strict["check_settings"].status == FAILED
    assert "expected to fail (thought to be), and passed" in strict["check_settings"].told
    with pytest.raises(augsynth.ConfigError, match="there is no check 'check_nothing'"):
        run_checks("generator", Right, expected={"check_nothing": ""})


def test_what_does_not_apply_says_why():
    found = {one.check: one for one in run_checks("generator", Unconditional)}
    skipped = [one for one in found.values() if one.status == NOT_APPLICABLE]
    assert [one.check for one in skipped] == ["check_labels_are_kept"] and "condition 'label'" in skipped[0].told
