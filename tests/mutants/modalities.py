"""Wrong kinds of data: each is curves, with one thing amiss."""

from dataclasses import dataclass

import torch

from augsynth import DataError
from augsynth.authoring import Modality, SampleSpec


@dataclass(frozen=True)
class CurveSpec(SampleSpec):
    length: int = 0

    @classmethod
    def claims(cls, x):
        return isinstance(x, torch.Tensor) and x.ndim == 1 and x.is_floating_point()

    @classmethod
    def of(cls, x, dataset=None):
        if not cls.claims(x):
            raise DataError(f"a curve of type {type(x).__name__}: expected a tensor (n,)")
        return cls(length=len(x))

    @property
    def shape(self):
        return (self.length,)


class Curves(Modality):
    spec_type = CurveSpec
    forms = ("short", "long")

    def tiny(self, n, *, classes=3, form=None, seed=0):
        generator = torch.Generator().manual_seed(seed)
        x = torch.randn(n, 9 if form == "long" else 4, generator=generator) * 0.1
        return [(one + i % classes * 0.4, i % classes) for i, one in enumerate(x)] if classes else list(x)


def of(name, *, spec=None, **own):
    """Curves with some methods of their own, and of their spec."""
    if spec is not None:
        own["spec_type"] = dataclass(frozen=True)(type("CurveSpec", (CurveSpec,), spec))
    return type(name, (Curves,), own)


def unseeded(self, n, *, classes=3, form=None, seed=0):
    return Curves.tiny(self, n, classes=classes, form=form, seed=0)


def moves_a_global_rng(self, raw):
    torch.rand(1)
    return raw.float()


MUTANTS = {
    "check_says_what_it_is": of("NoForms", forms=()),
    "check_tiny_data": of("Unseeded", tiny=unseeded),
    "check_claims_its_own": of("ClaimsAll", spec={"claims": classmethod(lambda cls, x: True)}),
    "check_the_way_there_and_back": of("HalfTheWay", spec={"raw_to_model": lambda self, raw: raw.float() / 2}),
    "check_what_it_yields": of("InDoublePrecision", spec={"yielded": lambda self, raw: raw.double()}),
    "check_inputs_of_a_caller": of("TakesOne", spec={"inputs": lambda self, given: torch.as_tensor(given[0])[None]}),
    "check_bad_inputs_are_refused": of("TakesAnything", spec={"to_raw": lambda self, x: x}),
    "check_the_spec_is_plain_data": of("ForgetsItsLength", spec={"to_json": lambda self: {"labels": None}}),
    "check_samples_go_into_shared_memory": of(
        "OneMore", spec={"raw_slot": lambda self: ((self.length + 1,), torch.float32)}
    ),
    "check_equal_samples_are_found": of("AllAlike", spec={"digestible": lambda self, raw: [b"curve"] * len(raw)}),
    "check_it_can_be_classified_and_compared": of("NotToItself", spread=lambda self, spec, x: 1.0),
    "check_it_is_shown_and_written": of("WritesNothing", write=lambda self, spec, batch, out: [out]),
    "check_global_rngs_are_left_alone": of("MovesAnRNG", spec={"raw_to_model": moves_a_global_rng}),
    "check_the_whole_road": "augsynth-wrong/curve",
}
RIGHT = Curves


class Lopsided(Curves):
    """The one that is installed: labels go astray where samples come as what a blend hands out."""

    spec_type = dataclass(frozen=True)(
        type("CurveSpec", (CurveSpec,), {"model_to_raw": lambda self, x: x * 0.99, "__module__": __name__})
    )
