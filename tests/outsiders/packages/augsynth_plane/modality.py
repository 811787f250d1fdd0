"""All that is special about points."""

from dataclasses import dataclass

import torch

from augsynth.authoring import Modality, SampleSpec


@dataclass(frozen=True)
class PointSpec(SampleSpec):
    shape = (2,)

    @classmethod
    def claims(cls, x):
        return isinstance(x, torch.Tensor) and x.ndim == 1 and len(x) < 10

    @classmethod
    def of(cls, x, dataset=None):
        return cls()


class PointModality(Modality):
    spec_type = PointSpec

    def tiny(self, n, *, classes=3, form=None, seed=0):
        generator = torch.Generator().manual_seed(seed)
        x = torch.randn(n, 2, generator=generator) * 0.1
        if not classes:
            return list(x)
        return [(one + i % classes * 0.4, i % classes) for i, one in enumerate(x)]
