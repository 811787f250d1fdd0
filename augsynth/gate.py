"""Watch whether the synthetic share helps the model that is being trained, and lower it where it does not."""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import default_collate

from augsynth._numbers import check_whole
from augsynth._rng_guard import seeded_globals
from augsynth.blending.dataset import SyntheticDataset
from augsynth.errors import ConfigError
from augsynth.seeding import check_seed, derive
from augsynth.utility.comparison import mean_interval

log = logging.getLogger("augsynth")

_STREAM = 0x6A7E
Loss = Callable[[nn.Module, Any], Tensor]


@dataclass(frozen=True)
class Probe:
    """One look.

    Attributes:
        epoch: of the blend.
        without, with_synthetic: mean validation loss after some steps on real samples, and on the blend.
        difference: mean of ``with_synthetic − without`` over the probes; above 0, synthetic samples hurt.
        interval: its confidence interval.
        scale: what the ratio is multiplied with from now on.
        reason: in words.
    """

    epoch: int
    without: float
    with_synthetic: float
    difference: float
    interval: tuple[float, float]
    scale: float
    reason: str


class UtilityGate:
    """A callback that lowers the ratio of a blend, to 0 if need be, when synthetic samples raise the validation loss.

    At the end of an epoch, copies of the model go on for a few steps: one on batches of the blend, one on the same
    batches with the real samples in their place. The losses of both on the validation samples are compared, paired,
    over several probes; the model itself is left alone. Where the interval of the difference lies above 0, the ratio is
    multiplied by ``factor``; below ``least`` of its first value it becomes 0. It never rises again.

    In a plain loop, call :meth:`on_epoch_end`; for Lightning, pass :meth:`lightning` to the trainer's ``callbacks``.

    Args:
        blended: the blend that the training loader reads; its workers hear of a new ratio at once.
        validation: batches to validate on: a DataLoader or another iterable that can be read again and again. Never the
            test set.
        loss: ``(model, batch) → scalar``; it moves the batch to the device.
        every: look after so many epochs.
        warmup: epochs before the first look: what helps a model that knows nothing may not help later, and the reverse.
        probes: pairs of copies in each look, at least 2.
        steps: updates of each copy.
        batch_size: samples in the batches of the copies.
        validation_batches: batches of ``validation`` that are read, at most.
        factor: what the ratio is multiplied with.
        least: share of the first ratio below which it becomes 0.
        level: confidence of the interval. Each look errs at this level: many of them err more often, on the side of
            fewer synthetic samples.
        collate_fn: samples → batch.
        seed: which samples the copies see; no global RNG is left changed.

    Raises:
        ConfigError: an argument cannot be used.

    Example:
        >>> gate = augsynth.UtilityGate(blended, val_loader, loss=lambda model, b: F.cross_entropy(model(b[0]), b[1]))
        >>> for epoch in range(epochs):
        ...     blended.set_epoch(epoch)
        ...     train_one_epoch(model, loader, optimizer)
        ...     gate.on_epoch_end(model, optimizer)
    """

    def __init__(
        self,
        blended: SyntheticDataset,
        validation: Iterable[Any],
        *,
        loss: Loss,
        every: int = 1,
        warmup: int = 1,
        probes: int = 4,
        steps: int = 10,
        batch_size: int = 64,
        validation_batches: int = 20,
        factor: float = 0.5,
        least: float = 0.1,
        level: float = 0.9,
        collate_fn: Callable[[Any], Any] = default_collate,
        seed: int = 0,
    ) -> None:
        if not isinstance(blended, SyntheticDataset):
            raise ConfigError(f"blended is of type {type(blended).__name__}: expected a SyntheticDataset")
        if not callable(loss) or isinstance(loss, (type, nn.Module)):
            raise ConfigError(
                f"loss={loss!r}: expected a callable, (model, batch) → scalar, such as "
                "lambda model, batch: criterion(model(batch[0]), batch[1])"
            )
        if iter(validation) is validation:
            raise ConfigError(
                "validation is an iterator, which can be read once: pass a DataLoader or a list of batches"
            )
        check_whole(every=every, steps=steps, batch_size=batch_size, validation_batches=validation_batches)
        check_whole(0, warmup=warmup)
        check_whole(2, probes=probes)
        for name, share in (("factor", factor), ("least", least), ("level", level)):
            if not 0.0 <= share < 1.0:
                raise ConfigError(f"{name}={share!r}: expected a number in [0, 1)")
        self.blended, self.validation, self.loss = blended, validation, loss
        self.every, self.warmup, self.probes, self.steps = every, warmup, probes, steps
        self.batch_size, self.validation_batches = batch_size, validation_batches
        self.factor, self.least, self.level = factor, least, level
        self.collate_fn, self.seed = collate_fn, check_seed(seed)
        self.history: list[Probe] = []
        self._epochs = 0

    def on_epoch_end(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> Probe | None:
        """Look, if it is time for it; returns what was seen, or None.

        Args:
            model: in training; it is copied, and not changed.
            optimizer: of the model; its kind, settings and state are those that the copies go on with.
        """
        self._epochs += 1
        due = self._epochs > self.warmup and (self._epochs - self.warmup) % self.every == 0
        if not due or self.blended.ratio_scale == 0:
            return None
        seeds = [int(derive(self.seed, _STREAM, self._epochs, i)) for i in range(self.probes)]
        pairs = [self._probe(model, optimizer, seed) for seed in seeds]
        mean, low, high = mean_interval([b - a for a, b in pairs], self.level)
        without, blended = (math.fsum(values) / len(pairs) for values in zip(*pairs, strict=True))
        scale = self.blended.ratio_scale
        about = f"validation loss {blended:.4f} with synthetic samples, {without:.4f} without; difference {mean:+.4f} "
        about += f"[{low:+.4f}, {high:+.4f}]"
        if low > 0:
            scale *= self.factor
            if scale < self.least:
                scale = 0.0
            self.blended.ratio_scale = scale
            reason = f"synthetic samples hurt: the ratio is now {scale:.3g} of what it was at first ({about})"
            log.warning("UtilityGate, epoch %d: %s", self.blended.epoch, reason)
        else:
            reason = f"no harm seen: the ratio stays at {scale:.3g} of what it was at first ({about})"
            log.info("UtilityGate, epoch %d: %s", self.blended.epoch, reason)
        probe = Probe(self.blended.epoch, without, blended, mean, (low, high), scale, reason)
        self.history.append(probe)
        return probe

    def state_dict(self) -> dict[str, Any]:
        """What resumption needs; the scale itself is in the state of the blend."""
        return {"epochs": self._epochs, "history": [asdict(probe) for probe in self.history]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go where ``state`` was taken."""
        self._epochs = state["epochs"]
        self.history = [Probe(**{**row, "interval": tuple(row["interval"])}) for row in state["history"]]

    def lightning(self) -> Any:
        """The same as a callback of Lightning, at the end of each training epoch.

        Raises:
            MissingDependencyError: Lightning is not installed.
        """
        from augsynth._gate_lightning import callback_of

        return callback_of(self)

    # ------------------------------------------------------------------ private

    def _probe(self, model: nn.Module, optimizer: torch.optim.Optimizer, seed: int) -> tuple[float, float]:
        """Validation loss of a copy that went on without, and of one that went on with synthetic samples."""
        generator = torch.Generator().manual_seed(seed)
        n = len(self.blended)
        batches = [
            torch.randint(n, (min(self.batch_size, n),), generator=generator).tolist() for _ in range(self.steps)
        ]
        losses = []
        for dataset in (self.blended.real_only(), self.blended.apart()):
            with seeded_globals(seed):  # dropout and the like are alike for both
                own, own_optimizer = _copied(model, optimizer)
                for indices in batches:
                    batch = self.collate_fn(dataset.__getitems__(indices))
                    own_optimizer.zero_grad()
                    with torch.enable_grad():
                        self.loss(own, batch).backward()
                    own_optimizer.step()
                losses.append(self._validated(own))
        return losses[0], losses[1]

    def _validated(self, model: nn.Module) -> float:
        model.eval()
        with torch.no_grad():
            values = [float(self.loss(model, batch)) for batch in islice(self.validation, self.validation_batches)]
        if not values:
            raise ConfigError("validation has no batch: there is nothing to compare by")
        return math.fsum(values) / len(values)


def _copied(model: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[nn.Module, torch.optim.Optimizer]:
    """A copy of a model with an optimizer of its own, in the same state."""
    own = copy.deepcopy(model).train()
    of_model = dict(zip(map(id, model.parameters()), own.parameters(), strict=True))
    if not any(id(parameter) in of_model for group in optimizer.param_groups for parameter in group["params"]):
        raise ConfigError("the optimizer has no parameter of the model")
    # made anew from its defaults some would be refused, AdamW for one; what is known to be copied is not copied again
    return own, copy.deepcopy(optimizer, {**of_model})
