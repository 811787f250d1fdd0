"""The one fitting loop: a generator says what a step is, the loop does the rest."""

from __future__ import annotations

import math
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from augsynth._progress import progress_bar
from augsynth._rng_guard import preserved_rng, seed_torch
from augsynth.checkpoint.format import STATE
from augsynth.checkpoint.writing import checkpoint_folder, write
from augsynth.errors import BrokenPluginError, ConfigError, FitError, FitWarning
from augsynth.fitting.ranks import Ranks
from augsynth.fitting.returned import losses_of, optimizers_of, with_gradient
from augsynth.fitting.training_data import TrainingData
from augsynth.fitting.training_state import all_finite, cloned, read_state, write_state
from augsynth.generator.generator import Generator
from augsynth.seeding import derive

CHECK_EVERY = 20  # steps between looks at the losses: each look waits for the device
_MAX_ROLLBACKS = 3
_STEP, _VALIDATION = 0x57E9, 0x7A11D


def evaluations_every(steps: int) -> int:
    """Steps between two of the twenty evaluations of a fit: a multiple of those between two looks at the losses."""
    return max(CHECK_EVERY, steps // 20 // CHECK_EVERY * CHECK_EVERY)


@dataclass
class FitSettings:
    """How long and how to fit; the fields are those of :func:`augsynth.fit`."""

    steps: int | None
    max_seconds: float | None
    batch_size: int
    seed: int
    micro_batch_size: int | None = None
    checkpoint_dir: Path | None = None
    checkpoint_every: int = 1000
    evaluate_every: int = 200
    patience: int | None = 5
    show: bool = True
    callback: Callable[[int, dict[str, float]], None] | None = None


@dataclass
class Progress:
    """Where a fit stands; part of the training state."""

    step: int = 0
    elapsed: float = 0.0
    rollbacks: int = 0
    best_loss: float | None = None
    best_step: int | None = None
    history: list[dict[str, float]] = field(default_factory=list)
    ended: str = "completed"


class FitLoop:
    """Runs the steps of one generator on one device through Lightning Fabric.

    Args:
        generator: prepared, on the device of ``fabric``.
        everything: all samples.
        data: those to take steps on.
        held_out: those that the best weights are chosen on, or None to keep the last.
        settings: how long and how.
        fabric: a launched :class:`lightning_fabric.Fabric`.
        ranks: the processes that take the steps together.
    """

    def __init__(
        self,
        generator: Generator,
        everything: TrainingData,
        data: TrainingData,
        held_out: TrainingData | None,
        settings: FitSettings,
        fabric: Any,
        ranks: Ranks | None = None,
    ) -> None:
        self.generator, self.everything, self.data, self.held_out = generator, everything, data, held_out
        self.settings, self.fabric, self.ranks = settings, fabric, ranks or Ranks()
        self.ranks.check_batch(settings.batch_size)
        self.optimizers = optimizers_of(generator)
        if settings.micro_batch_size is not None and len(self.optimizers) != 1:
            raise ConfigError(
                f"micro_batch_size={settings.micro_batch_size}: {type(generator).__name__} has "
                f"{len(self.optimizers)} optimizers, which move in turns on the same batch: give a smaller batch_size="
            )
        wrapped = fabric.setup_optimizers(*self.optimizers.values())
        self._steppers = dict(zip(self.optimizers, wrapped if len(self.optimizers) > 1 else [wrapped], strict=True))
        self._updates = 0
        self._within_step = False
        self._stop_requested = False
        self._base_rates = {name: [g["lr"] for g in opt.param_groups] for name, opt in self.optimizers.items()}
        self.progress = Progress()
        self._best: dict[str, Tensor] | None = None
        self._good: dict[str, Any] = {}

    def run(self) -> Progress:
        """Fit until the steps or the time are over, or the user interrupts."""
        settings, progress, generator = self.settings, self.progress, self.generator
        self._good = self._state()
        generator.optimize = self._optimize  # type: ignore[method-assign]
        started, before = time.perf_counter(), progress.elapsed
        pending: list[dict[str, Tensor]] = []
        total = settings.steps or settings.max_seconds
        try:
            with (
                preserved_rng(cuda=True),
                self._interrupt_between_steps(),
                progress_bar("fitting", total, show=settings.show) as bar,
            ):
                while not self._over():
                    self._within_step = True
                    pending.append(self._step())
                    progress.step += 1
                    self._within_step = False
                    # several have to agree, and all of them are over at the same step
                    if self.ranks.alone or self._due():
                        self._agree(before + time.perf_counter() - started)
                    due = self._due()
                    if due and not self._looked(pending):
                        pending = []
                        continue
                    if due:
                        rate = progress.step * settings.batch_size / progress.elapsed
                        shown = ", ".join(f"{k} {v:.3f}" for k, v in progress.history[-1].items() if k != "step")
                        bar.update(
                            progress.step if settings.steps else progress.elapsed, f"{shown} | {rate:,.0f} samples/s"
                        )
                        pending = []
                    if progress.step % settings.evaluate_every == 0 or self._over():
                        self._evaluate()
                        self._good = self._state()
                    if settings.checkpoint_dir is not None and progress.step % settings.checkpoint_every == 0:
                        self.save(settings.checkpoint_dir)
        except KeyboardInterrupt:
            seen = bool(progress.history) and progress.history[-1]["step"] == progress.step
            if self._within_step or not (seen or self._looked(pending, final=True)):
                self._restore(self._good)  # only whole steps with finite losses are kept, so that resuming is exact
            progress.ended = "interrupted"
            warnings.warn(f"fitting was interrupted after {progress.step} steps", FitWarning, stacklevel=4)
        finally:
            del generator.optimize
        if settings.checkpoint_dir is not None:
            self.save(settings.checkpoint_dir)
        return progress

    def _due(self) -> bool:
        """Whether the losses are to be looked at."""
        return self.progress.step % CHECK_EVERY == 0 or self._over()

    def _agree(self, elapsed: float) -> None:
        stop, elapsed = self.ranks.sums([float(self._stop_requested), elapsed / self.ranks.size])
        if stop:
            raise KeyboardInterrupt
        self.progress.elapsed = elapsed

    def resume(self, folder: Path) -> None:
        """Go on from the training state in the checkpoint ``folder``."""
        state = read_state(folder / STATE)
        self._restore(state)
        self._best = state["best"]
        if self.progress.ended == "interrupted":
            self.progress.ended = "completed"

    def save(self, folder: Path) -> None:
        """Write a usable checkpoint and, in it, the training state; of several processes, one does."""
        if not self.ranks.leads:
            return
        with checkpoint_folder(folder) as draft:
            write_state(draft / STATE, {**self._state(), "best": self._best})
            last = cloned(self.generator.state_dict())
            self.take_best()
            self.generator.eval()
            with torch.no_grad():
                self.generator.finish(self.everything)
            self.generator.fit_info.update(steps=self.progress.step, ended="in progress")
            write(self.generator, draft)
            self.generator.load_state_dict(last)
            self.generator.train()

    def take_best(self) -> None:
        """Put the weights in place that did best on the held-out samples, if any are kept."""
        if self._best is not None:
            self.generator.load_state_dict(self._best)

    # ------------------------------------------------------------------ private

    def _over(self) -> bool:
        settings, progress = self.settings, self.progress
        if progress.ended != "completed":
            return True
        by_steps = settings.steps is not None and progress.step >= settings.steps
        return by_steps or (settings.max_seconds is not None and progress.elapsed >= settings.max_seconds)

    def _done_share(self) -> float:
        settings, progress = self.settings, self.progress
        shares = [progress.step / settings.steps] if settings.steps else []
        if settings.max_seconds:
            shares.append(progress.elapsed / settings.max_seconds)
        return min(max(shares), 1.0)

    def _step(self) -> dict[str, Tensor]:
        generator, settings, step = self.generator, self.settings, self.progress.step
        share = self._done_share()
        salt = settings.seed if not self.progress.rollbacks else int(derive(settings.seed, self.progress.rollbacks))
        self._begin(share, salt)
        parts, self._updates = self._parts(), 0
        total: dict[str, Tensor] = {}
        for part in parts:
            batch = self.data.batch_at(step, settings.batch_size, salt, share, self.fabric.device, part)
            with self.fabric.autocast():
                losses = losses_of(generator, batch)
            weight = (part.stop - part.start) / (parts[-1].stop - parts[0].start)
            if not self._updates:
                self._accumulate(losses, weight, anew=part is parts[0])
            elif len(parts) > 1:
                raise ConfigError(
                    f"micro_batch_size={settings.micro_batch_size}: {type(generator).__name__} makes its updates by "
                    "itself: give a smaller batch_size="
                )
            total = {key: total.get(key, 0.0) + weight * loss.detach() for key, loss in losses.items()}
        if not self._updates:
            self._update(next(iter(self.optimizers)))
        return total

    def _parts(self) -> list[slice]:
        """What this process takes of a batch, in parts that it computes gradients of one after the other."""
        own, size = self.ranks.part(self.settings.batch_size), self.settings.micro_batch_size
        if size is None:
            return [own]
        n = own.stop - own.start
        count = -(-n // size)
        return [slice(own.start + i * n // count, own.start + (i + 1) * n // count) for i in range(count)]

    def _accumulate(self, losses: dict[str, Tensor], weight: float, *, anew: bool) -> None:
        """Add the gradients of a part of a batch, of a step that makes no update by itself."""
        if len(self.optimizers) != 1 or "loss" not in losses:
            raise BrokenPluginError(
                f"training_step of {type(self.generator).__name__} returned {sorted(losses)} and made no update: "
                "with one optimizer return {'loss': ...}, with several call self.optimize(name, loss)"
            )
        name = next(iter(self.optimizers))
        if anew:
            self.optimizers[name].zero_grad()
        loss = with_gradient(self.generator, losses["loss"]) * weight
        self.fabric.backward(loss, inputs=self._moved(name))

    def _begin(self, share: float, salt: int) -> None:
        """What comes before any step: learning rates, seeds, and networks as for training."""
        for name, optimizer in self.optimizers.items():
            for group, rate in zip(optimizer.param_groups, self._base_rates[name], strict=True):
                # constant, then linear to zero over the last third; halved by each rollback
                group["lr"] = rate * min(1.0, (1.0 - share) * 3.0) * 0.5**self.progress.rollbacks
        # a plugin that draws from torch's RNG in its step is reproducible, too; each rank has other samples to draw for
        own = (self.ranks.rank,) if self.ranks.rank else ()
        seed_torch(int(derive(salt, _STEP, self.progress.step, *own)))
        self.generator.train()

    def _optimize(self, name: str, loss: Tensor) -> None:
        if name not in self.optimizers:
            raise BrokenPluginError(f"there is no optimizer {name!r}; optimizers() made {sorted(self.optimizers)}")
        self._updates += 1
        self.optimizers[name].zero_grad()
        self.fabric.backward(with_gradient(self.generator, loss, name), inputs=self._moved(name))
        self._update(name)

    def _update(self, name: str) -> None:
        """Move what an optimizer moves, by the gradients that are there."""
        self.ranks.average_gradients(self._moved(name), self.settings.batch_size)
        self._steppers[name].step()

    def _moved(self, name: str) -> list[nn.Parameter]:
        """What an optimizer moves. Gradients are computed of that alone: a GAN's generator is judged by a network whose
        own would be a third of the work, and would linger."""
        groups = self.optimizers[name].param_groups
        return [parameter for group in groups for parameter in group["params"] if parameter.requires_grad]

    @contextmanager
    def _interrupt_between_steps(self) -> Iterator[None]:
        """Let Ctrl-C end the current step first; a second one interrupts at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def request(signum: int, frame: Any) -> None:
            if self._stop_requested:
                raise KeyboardInterrupt
            self._stop_requested = True

        before = signal.signal(signal.SIGINT, request)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _looked(self, pending: list[dict[str, Tensor]], *, final: bool = False) -> bool:
        """Record the losses; on NaN go back to the last good state. Returns whether all was well."""
        if not pending:
            return True
        bad = float(not all_finite([loss for losses in pending for loss in losses.values()]))
        self.ranks.average_buffers(self.generator)
        if not self.ranks.sums([bad])[0]:
            # a fit in stages has other losses in each
            own = {name: [row[name] for row in pending if name in row] for name in pending[-1]}
            own_means = [float(torch.stack(rows).float().mean()) / self.ranks.size for rows in own.values()]
            means = dict(zip(own, self.ranks.sums(own_means), strict=True))
            self.progress.history.append({"step": self.progress.step, **means})
            if self.settings.callback is not None and not final:
                self.settings.callback(self.progress.step, means)
            return True
        if final:
            return False
        step, rollbacks, elapsed = self.progress.step, self.progress.rollbacks + 1, self.progress.elapsed
        self._restore(self._good)
        self.progress.rollbacks, self.progress.elapsed = rollbacks, elapsed
        if self.progress.step == 0 and rollbacks > _MAX_ROLLBACKS:
            raise FitError(
                f"the loss is NaN or infinite from the start, {rollbacks} times in a row: check the data for outliers, "
                "or lower the learning rate (lr=...)"
            )
        if rollbacks > _MAX_ROLLBACKS:
            self.progress.ended = "diverged"
            warnings.warn(
                f"the loss became NaN or infinite for the {rollbacks}th time, by step {step}; fitting ends with the "
                f"weights of step {self.progress.step}",
                FitWarning,
                stacklevel=5,
            )
        return False

    def _evaluate(self) -> None:
        if self.held_out is None:
            return
        settings, progress = self.settings, self.progress
        self.generator.eval()
        total, absent, size = 0.0, False, settings.batch_size
        with torch.no_grad(), self.fabric.autocast():
            for start in range(self.ranks.rank * size, len(self.held_out), self.ranks.size * size):
                indices = torch.arange(start, min(start + size, len(self.held_out)))
                seeds = derive(settings.seed, _VALIDATION, indices)
                batch = self.held_out.batch(indices, seeds, progress.step, self._done_share(), self.fabric.device)
                loss = self.generator.validation_loss(batch)
                if loss is None:
                    absent = True
                    break
                total += float(loss) * len(indices)
        total, absences = self.ranks.sums([total, float(absent)])
        if absences:
            self.held_out = None
            return
        value = total / len(self.held_out)
        if not math.isfinite(value):
            return  # the generator says that it is too early to judge
        if progress.history:
            progress.history[-1]["validation"] = value
        if progress.best_loss is None or value < progress.best_loss:
            progress.best_loss, progress.best_step = value, progress.step
            self._best = cloned(self.generator.state_dict())
        since = progress.step - (progress.best_step or 0)
        if (
            settings.patience is not None
            and progress.best_step
            and since >= settings.patience * settings.evaluate_every
        ):
            progress.ended = "no improvement"

    def _state(self) -> dict[str, Any]:
        return cloned(
            {
                "model": dict(self.generator.state_dict()),
                "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
                "progress": {**vars(self.progress), "history": [dict(row) for row in self.progress.history]},
            }
        )

    def _restore(self, state: Mapping[str, Any]) -> None:
        state = cloned(dict(state))
        self.generator.load_state_dict(state["model"])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        self.progress.__dict__.update(state["progress"])
