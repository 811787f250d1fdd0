"""Wrong generators."""

import os
from dataclasses import replace

import torch
from augsynth_template.gaussian import Gaussian


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
RIGHT = Right
