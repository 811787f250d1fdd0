"""Wrong callbacks."""

import torch

import augsynth


class Notes(augsynth.Callback):
    """Writes down what it hears."""

    modality = "image"

    def __init__(self):
        self.heard = []

    def __call__(self, step, losses):
        self.heard.append((step, dict(losses)))

    def on_fit_end(self, generator):
        self.heard.append(generator.fit_info["steps"])

    def on_result(self, result):
        self.heard.append(result.to_json()["sentence"])


class WholeNumbersOnly(Notes):
    def __call__(self, step, losses):
        self.heard.append({name: round(100 * value) for name, value in losses.items()})


class AsksForLabels(Notes):
    def on_fit_end(self, generator):
        self.heard.append(generator.sample(2, labels=0, seed=0))


class KnowsEvaluationsAlone(Notes):
    def on_result(self, result):
        self.heard.append(result.figures)


class LooksByTheGlobalRNG(Notes):
    def on_fit_end(self, generator):
        self.heard.append(torch.rand(1))


class StopsTheNoise(Notes):
    def on_fit_end(self, generator):
        for parameter in generator.parameters():
            parameter.data.mul_(0.9)


class ClosesOnce(Notes):
    def close(self):
        del self.heard


MUTANTS = {
    "check_is_called_with_losses": WholeNumbersOnly,
    "check_hears_a_fit": AsksForLabels,
    "check_hears_of_results": KnowsEvaluationsAlone,
    "check_the_fit_is_the_same_without": LooksByTheGlobalRNG,
    "check_does_not_change_what_it_hears": StopsTheNoise,
    "check_closes": ClosesOnce,
}
RIGHT = Notes
