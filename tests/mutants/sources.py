"""Wrong sources of samples: fitted, as a blend gets them."""

from dataclasses import replace

import torch
from augsynth_template.gaussian import Gaussian

import augsynth
from augsynth.modalities.image.tiny import TinyImages


class Right(Gaussian):
    modality = "image"


class WithoutSpec:
    conditional = True

    def __init__(self, fitted):
        self.fitted = fitted

    def sample(self, n=None, **options):
        return self.fitted.sample(n, **options)


class Wrapped(WithoutSpec):
    """Hands on what another makes."""

    @property
    def spec(self):
        return self.fitted.spec


class OneTooMany(Wrapped):
    def sample(self, n=None, *, seeds=None, labels=None, **options):
        batch = super().sample(n, seeds=seeds, labels=labels, **options)
        return replace(batch, model_x=torch.cat([batch.model_x, batch.model_x[:1]]))


class FollowsTheGlobalRNG(Wrapped):
    def sample(self, n=None, **options):
        batch = super().sample(n, **options)
        return replace(batch, model_x=batch.model_x + 0.01 * torch.rand(1))


class LooksAtItsNeighbours(Wrapped):
    def sample(self, n=None, **options):
        batch = super().sample(n, **options)
        return replace(batch, model_x=batch.model_x - batch.model_x.mean(0, keepdim=True))


class LabelsInOrder(Wrapped):
    def sample(self, n=None, **options):
        batch = super().sample(n, **options)
        return replace(batch, y=batch.y.sort().values)


class SaysThatTheyAreReal(Wrapped):
    def sample(self, n=None, **options):
        batch = super().sample(n, **options)
        return replace(batch, meta=[{**row, "synthetic": False} for row in batch.meta])


class StaysBehind(Wrapped):
    def __getstate__(self):
        raise TypeError("a connection cannot be pickled")


def fitted():
    return augsynth.fit(Right, TinyImages(24, form="tensor-float"), progress=False, device="cpu")


MUTANTS = {
    "check_says_what_it_makes": WithoutSpec,
    "check_samples_are_as_it_says": OneTooMany,
    "check_follows_its_seeds": FollowsTheGlobalRNG,
    "check_sample_depends_on_its_seed_not_its_batch": LooksAtItsNeighbours,
    "check_labels_are_kept": LabelsInOrder,
    "check_provenance": SaysThatTheyAreReal,
    "check_pickles_for_spawned_workers": StaysBehind,
}
