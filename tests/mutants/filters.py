"""Wrong filters."""

import torch


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
    "check_gives_one_verdict_for_each_sample": OneVerdictForAll(),
    "check_judges_each_sample_by_itself": ComparesWithItsNeighbours(),
    "check_does_not_change_the_batch": MendsWhatItSees(),
    "check_global_rngs_are_left_alone": RejectsByChance(),
    "check_pickles_for_spawned_workers": StricterInAnotherProcess(),
}
RIGHT = RightFilter()
