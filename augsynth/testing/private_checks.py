"""What generators promise that offer ``privacy=``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from unittest import SkipTest
from unittest.mock import patch

import torch
from torch.utils.data import Subset

from augsynth.fitting import private, private_loop
from augsynth.fitting.training_data import TrainingData
from augsynth.generator.generator import Generator
from augsynth.modality import Modality
from augsynth.plugin_specs import ANY
from augsynth.privacy.budget import Privacy
from augsynth.privacy.gaussian import Mechanism
from augsynth.privacy.sgd import PrivateSteps
from augsynth.registry import default_registry
from augsynth.testing.kinds import equal
from augsynth.testing.tiny_fits import CLASSES, default, fitted, kind_of


def check_a_private_fit_reads_through_the_mechanism(generator: Any) -> None:
    """With ``privacy=``, where it is offered, a fit learns of the data what the mechanism hands out, and no more."""
    made = []
    for seed in range(2):
        with patch.object(private, "Mechanism", _Deaf), patch.object(private_loop, "PrivateSteps", _DeafSteps):
            gen = _privately(generator, _public(generator)(24, classes=CLASSES, seed=seed))
            made.append(gen.sample(8, labels=[0, 1] * 4 if gen.conditional else None, seed=0).model_x)
    assert equal(*made), (
        "from a mechanism that says nothing, two datasets made two generators: it reads the data elsewhere"
    )


def check_sensitivities_hold(generator: Any) -> None:
    """A sample more or less changes no statistic by more than :meth:`Generator.release` tells the mechanism."""
    data = _public(generator)(24, classes=CLASSES)
    if not private.reads_once(default(generator)):
        raise SkipTest("it reads no statistics: release() is not overridden")
    _privately(generator, data)
    seen: list[Any] = []
    for left_out in (None, 0, 11, 23):
        rows = [i for i in range(len(data)) if i != left_out]
        with patch.object(private, "Mechanism", partial(_Recording, seen)):
            fitted(generator, Subset(data, rows))
    (parts, sensitivity), *others = seen
    for fewer, _ in others:
        for name, value in parts.items():
            moved = float(torch.linalg.vector_norm((value - fewer[name]).double()))
            assert moved <= sensitivity[name] * 1.0001, (
                f"{name}: one sample moved it by {moved:.4g} (L2), and release() says {sensitivity[name]:.4g} "
                "at most: bound what a sample adds, by clipping or scaling it"
            )


def check_losses_are_of_single_samples(generator: Any) -> None:
    """A loss of :meth:`Generator.sample_losses`, and its gradient, are the same whoever else is in the batch."""
    gen = default(generator)
    if not private.by_steps(gen):
        raise SkipTest("it is not fitted by the losses of single samples: sample_losses() is not overridden")
    data = TrainingData.read(_public(generator)(24, classes=CLASSES), show=False)
    gen = _privately(generator, _public(generator)(24, classes=CLASSES))  # with all that only fitting needs
    gen.train()
    optimizer = next(iter(gen.optimizers().values()))
    private_steps = {"privacy": Privacy(1.0, 1e-3, noise_seed=0), "n": 24, "batch_size": 4, "noise_multiplier": 1.0}
    steps = PrivateSteps(gen.trained_module(), optimizer, **private_steps)  # type: ignore[arg-type]

    def gradients(rows: list[int]) -> tuple[torch.Tensor, list[torch.Tensor], list[torch.Tensor]]:
        """(n,) losses, and of each parameter the gradients (n, ...) and the one (...) that autograd finds of all."""
        indices = torch.tensor(rows)
        batch = data.batch(indices, indices + 1, 3, 0.5, gen.device)
        losses = steps.differentiated(lambda: gen.sample_losses(batch), len(rows))
        apart = [one.grad_sample.clone() for one in steps.parameters]
        return losses, apart, [one.grad.clone() for one in steps.parameters]

    try:
        together, of_all, _ = gradients([0, 5, 11, 23])
        for i, row in enumerate([0, 5, 11, 23]):
            alone, _, own = gradients([row])
            assert torch.allclose(alone[0], together[i], rtol=1e-3, atol=1e-5), (
                f"the loss of a sample is {float(alone[0]):.6g} by itself and {float(together[i]):.6g} among others: "
                "no mean, variance or norm over the batch may be in it"
            )
            for one, shared in zip(own, of_all, strict=True):
                scale = float(one.abs().max()) + 1e-6
                assert float((one - shared[i]).abs().max()) <= 1e-2 * scale, (
                    f"the gradient of a sample, for a parameter of shape {tuple(one.shape)}, is another in a batch"
                )
    finally:
        steps.close()


class _DeafSteps(PrivateSteps):
    """Learns nothing of what it is given."""

    def update(self, step: int, losses: Any, count: int) -> None:
        pass


class _Deaf(Mechanism):
    """Hands out nothing of what it is given."""

    def _noisy(self, value: torch.Tensor, sensitivity: float, share: float) -> torch.Tensor:
        return torch.zeros(value.shape)


class _Recording(Mechanism):
    """Keeps what it was asked for."""

    def __init__(self, seen: list[Any], *given: Any) -> None:
        super().__init__(*given)
        self.seen = seen

    def release(self, parts: Any, sensitivity: Any, shares: Any = None) -> dict[str, torch.Tensor]:
        self.seen.append(({name: value.clone() for name, value in parts.items()}, dict(sensitivity)))
        return super().release(parts, sensitivity, shares)


def _public(generator: Any) -> Callable[..., Any]:
    """Makes tiny data that it can be fitted on privately: nothing of the spec is read off the values."""
    if not private.offered(default(generator)):
        raise SkipTest("it does not offer privacy=: neither release() nor sample_losses() is overridden")
    known: tuple[Modality, ...] = (kind_of(generator),)
    if default(generator).modality == ANY:
        known = tuple(one for one in (*known, *default_registry().modalities()[0]) if one.spec_type.tensors)
    for one in known:
        for form in one.forms:
            if TrainingData.read(one.tiny(24, form=form), show=False).spec.public_form().read_off() is None:
                return partial(one.tiny, form=form)
    raise SkipTest("of this kind of data, something is read off the values before a fit (SampleSpec.read_off)")


def _privately(generator: Any, data: Any) -> Generator:
    return fitted(generator, data, privacy=Privacy(epsilon=1.0, delta=1e-3, noise_seed=0))


ALL = tuple(
    value for name, value in list(globals().items()) if name.startswith("check_") and value.__module__ == __name__
)
