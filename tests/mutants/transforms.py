"""Wrong transforms."""

import random

import numpy as np
from augsynth_template.speckle import Speckle

from augsynth.authoring import TextTransform


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


class OneSeedForAll(RightTransform):
    def many(self, inputs, seeds):
        return super().many(inputs, [seeds[0]] * len(seeds))


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


class LeavesNothing(TextTransform):
    modality = "text"

    def apply(self, text, seed):
        return "" if random.Random(seed).random() < 0.5 else text


MUTANTS = {
    "check_is_a_transform": NoTransform,
    "check_keeps_type_dtype_and_range": MakesFloats,
    "check_follows_its_seed_alone": CountsItsCalls,
    "check_many_become_what_each_becomes_alone": OneSeedForAll,
    "check_leaves_global_rngs_alone": DrawsFromNumPy,
    "check_does_not_change_its_input": WorksInPlace,
    "check_pickles_for_spawned_workers": StrongerInAnotherProcess,
    "check_the_smallest_inputs": LeavesNothing,
}
RIGHT = RightTransform
