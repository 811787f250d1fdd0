"""Wrong metrics."""

import torch

from augsynth import Figure


class MeanDistance:
    """How far the means of generated and held-out samples are apart."""

    modality = "image"

    def __call__(self, made, train, held):
        value, floor = (float((one.x.mean(0) - held.x.mean(0)).norm()) for one in (made, train))
        note = "distance of the mean sample from that of held-out ones"
        return Figure("mean_distance", value, (value, value), floor, (floor, floor), len(made), "near the floor", note)


class ANumberAlone(MeanDistance):
    def __call__(self, made, train, held):
        return super().__call__(made, train, held).value


class MeasuresSomeByChance(MeanDistance):
    def __call__(self, made, train, held):
        return super().__call__(made[torch.randperm(len(made))[:5]], train, held)


class CentresInPlace(MeanDistance):
    def __call__(self, made, train, held):
        made.x.sub_(made.x.mean())
        return super().__call__(made, train, held)


class NeedsLabels(MeanDistance):
    def __call__(self, made, train, held):
        figure = super().__call__(made, train, held)
        made.classes.bincount()
        return figure


class DividesByWhatIsLeft(MeanDistance):
    def __call__(self, made, train, held):
        1 / (len(made) - 3)  # as an unbiased estimate of something with three parameters would
        return super().__call__(made, train, held)


class AnotherNameEachTime(MeanDistance):
    calls = 0

    def __call__(self, made, train, held):
        type(self).calls += 1
        figure = super().__call__(made, train, held)
        return Figure(**{**vars(figure), "name": f"distance {self.calls}"})


MUTANTS = {
    "check_gives_figures": ANumberAlone,
    "check_same_samples_same_figures": MeasuresSomeByChance,
    "check_does_not_change_the_samples": CentresInPlace,
    "check_unlabelled_samples": NeedsLabels,
    "check_few_samples": DividesByWhatIsLeft,
    "check_stands_in_an_evaluation": AnotherNameEachTime,
}
RIGHT = MeanDistance
