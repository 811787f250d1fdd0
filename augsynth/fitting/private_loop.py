"""A private fit by gradient steps: the loop, with updates that keep a budget and losses that nobody sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from augsynth.errors import ConfigError, FitError
from augsynth.fitting.loop import FitLoop, FitSettings, Progress
from augsynth.fitting.private import nothing_of, stated_steps
from augsynth.fitting.training_data import TrainingData, seeds_at
from augsynth.generator.generator import Generator
from augsynth.privacy.budget import Privacy
from augsynth.privacy.sgd import PrivateSteps

_STEPS, _MOST = 200, 1024  # what a CPU does in minutes
_PRECISION = "32-true"


class PrivateLoop(FitLoop):
    """The steps of a generator that says what the loss of each sample is.

    Losses are read off the data outside of the budget: they are not kept, and not shown.

    Args:
        nothing: stands for all samples where the loop would look at them: it has none.
        noise_multiplier: as of :func:`augsynth.privacy.sgd.noise_multiplier_for`.
    """

    def __init__(
        self,
        generator: Generator,
        nothing: TrainingData,
        data: TrainingData,
        settings: FitSettings,
        fabric: Any,
        *,
        privacy: Privacy,
        noise_multiplier: float,
    ) -> None:
        super().__init__(generator, nothing, data, None, settings, fabric)
        if len(self.optimizers) != 1:
            raise ConfigError(
                f"{type(generator).__name__} has {len(self.optimizers)} optimizers: a private fit has one"
            )
        self._private = PrivateSteps(
            generator.trained_module(),
            next(iter(self.optimizers.values())),
            privacy,
            n=len(data),
            batch_size=settings.batch_size,
            noise_multiplier=noise_multiplier,
        )

    def run(self) -> Progress:
        try:
            return super().run()
        finally:
            self._private.close()

    def _step(self) -> dict[str, Tensor]:
        share, step, seed = self._done_share(), self.progress.step, self.settings.seed
        self._begin(share, seed)
        indices = self._private.drawn(step)
        seeds = seeds_at(step, len(indices), seed)

        def losses(part: slice) -> Tensor:
            batch = self.data.batch(indices[part], seeds[part], step, share, self.fabric.device)
            return self.generator.sample_losses(batch)

        self._private.update(step, losses, len(indices))
        return {}

    def _looked(self, pending: list[dict[str, Tensor]], *, final: bool = False) -> bool:
        if not all(bool(torch.isfinite(one).all()) for one in self._private.parameters):
            # going back and trying again, as without privacy, would spend what the budget does not hold
            raise FitError(
                f"the weights are NaN or infinite by step {self.progress.step}: check the data for outliers, or lower "
                "the learning rate (lr=...)"
            )
        return super()._looked(pending, final=final)


def of(
    made: Generator,
    data: TrainingData,
    spec: Any,
    settings: FitSettings,
    fabric: Any,
    privacy: Privacy,
    resumed: Path | None,
) -> PrivateLoop:
    """The loop for a generator, its guarantee stated in ``fit_info``.

    Args:
        spec: of the data, without what was counted in it.
        resumed: the checkpoint that the fit goes on from.
    """
    if settings.steps is None:
        raise ConfigError("a private fit by gradient steps needs to know how many: give steps=")
    multiplier = stated_steps(made, len(data), privacy, settings.steps, settings.batch_size, resumed)
    nothing = nothing_of(data, spec)
    return PrivateLoop(made, nothing, data, settings, fabric, privacy=privacy, noise_multiplier=multiplier)


def presets(made: type[Generator], spec: Any, n: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """``steps`` and ``batch_size`` of a private fit, and settings for its generator.

    Batches are large, since noise weighs less on the sum of many gradients: the more the better, and the slower (Tramèr
    & Boneh 2021; De et al. 2022).
    """
    own = made.private_presets(spec, n)
    usual = max(min(n, 64), min(_MOST, n // 10))
    return {"batch_size": int(own.pop("batch_size", usual)), "steps": int(own.pop("steps", _STEPS))}, own


def check_precision(precision: str) -> None:
    """Raises ConfigError unless single samples have gradients in full precision."""
    if precision != _PRECISION:
        raise ConfigError(f"precision={precision!r}: a private fit by gradient steps runs in {_PRECISION!r} only")
