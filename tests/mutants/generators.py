"""Wrong generators."""

import math
import os
from dataclasses import replace

import torch
from augsynth_template.gaussian import Gaussian

import augsynth
from augsynth import authoring


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


class Private(augsynth.Generator):
    """Noise around the mean of each class, which the mechanism hands out."""

    modality = "image"

    def build(self, spec):
        self.shape, classes = tuple(spec.shape), max(1, spec.num_classes)
        self.register_buffer("mean", torch.zeros(classes, *self.shape))

    def release(self, data, mechanism):
        x = data.model_x()
        bound = float(torch.tensor(x[0].numel()).sqrt())
        classes = torch.zeros(len(data), dtype=torch.int64) if data.classes is None else data.classes
        sums = torch.zeros_like(self.mean).index_add_(0, classes, x)
        noisy = mechanism.release({"sums": sums}, {"sums": self.claimed * bound})["sums"]
        counts = torch.full((len(self.mean),), len(x)) if mechanism.counts is None else mechanism.counts
        self.mean.copy_(noisy / counts.view(-1, *[1] * len(self.shape)))

    claimed = 1.0

    def learn(self, data):
        pass

    def draw(self, labels, seeds, *, temperature, truncation):
        mean = self.mean[0] if labels is None else self.mean[labels]
        noise = authoring.noise(seeds, self.shape, truncation=truncation)
        return (mean + temperature * 0.1 * noise).clamp(-1, 1)


class KeepsTheMean(Private):
    def release(self, data, mechanism):
        super().release(data, mechanism)
        self.mean += 0.1 * data.model_x().mean(0)


class ClaimsLess(Private):
    claimed = 0.01


class BySteps(augsynth.Generator):
    """Noise around an image of each class, which the gradients of single samples draw."""

    modality = "image"

    def build(self, spec):
        self.shape = tuple(spec.shape)
        self.image = torch.nn.Embedding(max(1, spec.num_classes), math.prod(spec.shape))

    def _images(self, labels, n):
        labels = torch.zeros(n, dtype=torch.int64) if labels is None else labels
        return self.image(labels).unflatten(1, self.shape)

    def training_step(self, batch):
        return {"loss": self.sample_losses(batch).mean()}

    def sample_losses(self, batch):
        return (self._images(batch.y, len(batch.x)) - batch.x).square().flatten(1).mean(1)

    def draw(self, labels, seeds, *, temperature, truncation):
        noise = authoring.noise(seeds, self.shape, truncation=truncation)
        return (self._images(labels, len(seeds)) + temperature * 0.1 * noise).clamp(-1, 1)


class SharesItsLoss(BySteps):
    def sample_losses(self, batch):
        losses = super().sample_losses(batch)
        return losses - losses.mean()


class Taught(augsynth.Generator):
    modality = "image"

    def build(self, spec, *, width: int = 16):
        self.shape = spec.shape
        size = math.prod(spec.shape)
        self.net = torch.nn.Sequential(torch.nn.Linear(4, width), torch.nn.Tanh(), torch.nn.Linear(width, size))

    def training_step(self, batch):
        made = self.draw(batch.y, batch.seeds, temperature=1.0, truncation=None)
        return {"loss": (made - batch.x).square().mean()}

    def draw(self, labels, seeds, *, temperature, truncation):
        z = authoring.noise(seeds, (4,), truncation=truncation) * temperature
        return self.for_sampling("net")(z).tanh().unflatten(1, self.shape)

    def student_settings(self):
        return {"width": 4}


class TaughtByALargerOne(Taught):
    def student_settings(self):
        return {"width": 32}


RIGHTS = {
    "check_a_private_fit_reads_through_the_mechanism": Private,
    "check_sensitivities_hold": Private,
    "check_losses_are_of_single_samples": BySteps,
    "check_a_student_is_smaller": Taught,
}
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
    "check_a_student_is_smaller": TaughtByALargerOne,
    "check_blends": LosesItsLabels,
    "check_a_private_fit_reads_through_the_mechanism": KeepsTheMean,
    "check_sensitivities_hold": ClaimsLess,
    "check_losses_are_of_single_samples": SharesItsLoss,
}
RIGHT = Right
