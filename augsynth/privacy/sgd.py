"""DP-SGD (Abadi et al. 2016), by Opacus: gradients of single samples, clipped, with noise."""

from __future__ import annotations

import math
import random
import secrets
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from augsynth._optional import import_optional
from augsynth.errors import BrokenPluginError, ConfigError
from augsynth.privacy.budget import Privacy

_MAX_GRAD_NORM = 1.0  # as of Opacus; Adam, which most generators use, does not depend on the scale
_GRADIENT_BYTES = 2**28  # of the gradients of single samples that are held at once
_SAMPLING, _NOISE = 1, 2  # streams, where a test wants the same again


def accountant() -> str:
    """The accountant, with its version."""
    return (
        "PRV accountant of the Gaussian mechanism on Poisson samples (Gopi et al. 2021), as in Opacus "
        f"{opacus().__version__}"
    )


def opacus() -> Any:
    """The library, or a MissingDependencyError that names the extra."""
    return import_optional("opacus", extra="privacy", purpose="a private fit by gradient steps (DP-SGD)")


def max_grad_norm(privacy: Privacy) -> float:
    """To what the gradient of a sample is clipped, given or by default."""
    return _MAX_GRAD_NORM if privacy.max_grad_norm is None else privacy.max_grad_norm


def noise_multiplier_for(privacy: Privacy, sample_rate: float, steps: int) -> float:
    """The noise, in units of the largest norm of a gradient, with which so many steps keep the budget.

    Of a person with k samples the bound of one sample is ε / k, by group privacy (Dwork & Roth 2014, theorem 2.2).

    Args:
        sample_rate: probability with which a sample is in a step's batch.

    Raises:
        ConfigError: no noise keeps it.
    """
    opacus()
    from opacus.accountants.utils import get_noise_multiplier

    k = privacy.max_contributions
    epsilon = privacy.epsilon / k
    delta = privacy.delta * math.expm1(epsilon) / math.expm1(privacy.epsilon)
    tolerance = 0.01 * epsilon
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: float = get_noise_multiplier(
                target_epsilon=epsilon,
                target_delta=delta,
                sample_rate=sample_rate,
                steps=steps,
                accountant="prv",
                epsilon_tolerance=tolerance,
                eps_error=tolerance,
            )
    except (ValueError, RuntimeError, MemoryError) as error:  # the last of a grid that is too fine
        raise ConfigError(
            f"{steps:,} steps with {sample_rate:.2g} of the samples each cannot keep {privacy}: {error}. Take fewer "
            "steps, a smaller batch_size, or a larger budget"
        ) from error
    return found


class PrivateSteps:
    """Updates of one optimizer that keep a budget: each step sees every sample with the same small probability,
    clips what each of them wants to change, and adds noise to the sum.

    Which samples, and the noise, come from the operating system: a new seed for each step.

    Args:
        module: whose parameters are fitted, on its device.
        optimizer: of these parameters.
        privacy: the budget.
        n: how many samples there are.
        batch_size: samples of a step on average.
        noise_multiplier: as of :func:`noise_multiplier_for`.

    Raises:
        ConfigError: a layer mixes the samples of a batch.
    """

    def __init__(
        self,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        privacy: Privacy,
        *,
        n: int,
        batch_size: int,
        noise_multiplier: float,
    ) -> None:
        opacus()
        from opacus.grad_sample.grad_sample_module import GradSampleHooks
        from opacus.optimizers import DPOptimizer, DPPerLayerOptimizer

        mixing = [f"{k} ({type(m).__name__})" for k, m in module.named_modules() if _mixes(m)]
        if mixing:
            raise ConfigError(f"{', '.join(mixing)} mixes the samples of a batch, whose gradients cannot be told apart")
        self.parameters = [one for group in optimizer.param_groups for one in group["params"] if one.requires_grad]
        self.n, self.sample_rate, self._seed = n, batch_size / n, privacy.noise_seed
        self._noise = torch.Generator(self.parameters[0].device)
        self._compared = False
        self.at_once = max(1, min(128, _GRADIENT_BYTES // (4 * sum(one.numel() for one in self.parameters))))
        self._layers = [one for one in module.modules() if any(p.requires_grad for p in one.parameters(recurse=False))]
        # Opacus 1.6 takes convolutions apart by strides, and gets other gradients, or none, where tensors lie in memory
        # as channels_last; its general way does not
        hooks = type("Hooks", (GradSampleHooks,), {"GRAD_SAMPLERS": _but_convolutions(GradSampleHooks.GRAD_SAMPLERS)})
        # buffers of constants are no statistics of a batch; what is, was refused above
        self._hooks = hooks(module, loss_reduction="sum", strict=False)
        self._hooks.remove_hooks()  # they are there in a step only: in between, networks are copied and sampled from
        norm = max_grad_norm(privacy)
        given: dict[str, Any] = {
            "noise_multiplier": noise_multiplier,
            "expected_batch_size": batch_size,
            "loss_reduction": "mean",  # the sum of the gradients over the expected size, whatever a batch's own is
            "generator": self._noise,
            "secure_mode": True,  # several draws in one: floating-point numbers of a single one tell what they hide
        }
        if privacy.clipping == "per_layer":
            each = [norm / math.sqrt(len(self.parameters))] * len(self.parameters)
            self._optimizer: Any = DPPerLayerOptimizer(optimizer, max_grad_norm=each, **given)
        else:
            self._optimizer = DPOptimizer(optimizer, max_grad_norm=norm, **given)

    def drawn(self, step: int) -> Tensor:
        """The samples of a step: each with the same probability, and none that anybody could foresee."""
        source = torch.Generator().manual_seed(self._fresh(_SAMPLING, step))
        chance = torch.rand(self.n, generator=source, dtype=torch.float64)
        return (chance < self.sample_rate).nonzero().flatten()

    def update(self, step: int, losses: Callable[[slice], Tensor], count: int) -> None:
        """One step on a batch of ``count`` samples.

        Args:
            losses: a part of the batch → (n,) the loss of each sample in it.
        """
        self._noise.manual_seed(self._fresh(_NOISE, step))
        self._optimizer.zero_grad()
        parts = list(_parts(count, self.at_once))
        for i, part in enumerate(parts):
            self.differentiated(partial(losses, part), part.stop - part.start)
            self._optimizer.signal_skip_step(i + 1 < len(parts))
            self._optimizer.step()
            self._optimizer.zero_grad()
        if not parts:  # nobody was drawn: noise alone, as the accountant expects
            for one in self.parameters:
                one.grad_sample = one.new_zeros((0, *one.shape))
            self._optimizer.step()
            self._optimizer.zero_grad()

    def differentiated(self, losses: Callable[[], Tensor], count: int) -> Tensor:
        """(n,) losses of ``count`` samples; their gradients are then each parameter's ``grad_sample``, (n, ...)."""
        for layer in self._layers:
            layer.training = True  # Opacus looks at these only; what holds frozen layers stays as it was
        for one in self.parameters:
            one.grad_sample, one.grad = None, None
        self._hooks.add_hooks(loss_reduction="sum")
        try:
            found = losses()
            if found.shape != (count,):
                raise BrokenPluginError(
                    f"sample_losses() gave {tuple(found.shape)} for {count} samples: expected one each"
                )
            with warnings.catch_warnings():  # inputs need no gradients, and torch warns of hooks that may miss them
                warnings.filterwarnings("ignore", message="Full backward hook is firing")
                warnings.filterwarnings("ignore", message="grad and param do not obey")  # of channels_last
                found.sum().backward()
        finally:
            self._hooks.remove_hooks()
        for one in self.parameters:
            made = one.grad_sample
            if made is None or len(made) != count:
                raise BrokenPluginError(
                    f"a parameter of shape {tuple(one.shape)} has "
                    f"{'no gradient' if made is None else f'{len(made)} gradients'} of {count} samples: for a private "
                    "fit, each parameter must belong to a layer through which each sample passes by itself"
                )
        if not self._compared:
            self._compare(count)
        return found.detach()

    def _compare(self, count: int) -> None:
        """Once a fit: the gradients of single samples add up to what autograd finds without taking them apart."""
        # a bias before a norm has gradients that are nothing but the rounding of others
        largest = max(float(one.grad_sample.abs().max()) for one in self.parameters)
        for one in self.parameters:
            apart, whole = one.grad_sample, one.grad
            off = float((apart.sum(0) - whole).abs().max())
            if off > count * (1e-4 * float(apart.abs().max()) + 1e-7 * largest):  # NaN is told of elsewhere
                raise BrokenPluginError(
                    f"the gradients of single samples of a parameter of shape {tuple(one.shape)} do not add up to its "
                    f"gradient (off by {off:.3g}): it is used outside of its layer, or the layer cannot be taken apart"
                )
        self._compared = True

    def close(self) -> None:
        """Leave the parameters as they were found."""
        for one in self.parameters:
            for name in ("grad_sample", "summed_grad", "_forward_counter", "_current_grad_sample"):
                if hasattr(one, name):
                    delattr(one, name)
        for layer in self._layers:
            for name in ("activations", "max_batch_len"):
                if hasattr(layer, name):
                    delattr(layer, name)

    def _fresh(self, stream: int, step: int) -> int:
        if self._seed is None:
            return secrets.randbits(63)
        return random.Random(f"{self._seed} {stream} {step}").getrandbits(63)  # in tests, the same again


def _mixes(module: nn.Module) -> bool:
    return isinstance(module, nn.modules.batchnorm._BatchNorm) and module.training


def _but_convolutions(known: dict[type, Any]) -> dict[type, Any]:
    return {kind: found for kind, found in known.items() if not issubclass(kind, nn.modules.conv._ConvNd)}


def _parts(count: int, size: int) -> Iterator[slice]:
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))
