"""Distil a generator into a smaller one of its kind, which makes nearly the same samples in less time."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from augsynth._duration import seconds
from augsynth._numbers import check_whole
from augsynth.callbacks import Callbacks
from augsynth.checkpoint.writing import weights_id
from augsynth.errors import BrokenPluginError, CapabilityError, ConfigError
from augsynth.fitting import devices
from augsynth.fitting.loop import FitLoop, FitSettings, evaluations_every
from augsynth.fitting.training_data import NoData
from augsynth.generator.authored import TrainingBatch
from augsynth.generator.generator import Generator
from augsynth.seeding import check_seed, derive, uniform

_LR = 4e-3  # of Adam; with 2e-3 a student of a VAE was farther off after 1,500 steps (Fashion-MNIST, one seed)
_CLASS, _CHECK = 0xD1, 0xD2
_FARTHER = 1.5  # temperature of every other step: variations go farther from the samples than samples from each other
_CHECKED = 256  # samples that the two are compared on
Call = tuple[str, tuple[Any, ...], Tensor]  # name of a network, what it was given, what it made of it


def distill(
    teacher: Generator,
    *,
    steps: int = 3000,
    max_time: str | float | None = None,
    batch_size: int = 64,
    device: str | torch.device = "auto",
    seed: int = 0,
    callback: Any = None,
    progress: bool = True,
    **config: Any,
) -> Generator:
    """A student of ``teacher``: the same generator but for the networks that samples go through, which are smaller and
    learn, on noise, to give what those of the teacher give (Hinton et al., "Distilling the knowledge in a neural
    network", 2015).

    No data are needed, so that what the teacher guarantees of them (privacy) holds for the student. Its samples are of
    the same seeds and labels as the teacher's, and nearly the same; hold it against the teacher with
    :func:`augsynth.evaluate` before it takes its place.

    Args:
        teacher: a fitted generator that states :meth:`Generator.student_settings`.
        steps: number of updates.
        max_time: stop after this time, as of :func:`augsynth.fit`.
        batch_size: samples a step.
        device: where the student learns, as of :func:`augsynth.fit`.
        seed: everything random follows it; no global RNG is touched.
        callback, progress: as of :func:`augsynth.fit`.
        config: settings of the student that differ from the teacher's, such as ``decoder_width=8``; those of
            :meth:`Generator.student_settings` where none are given.

    Returns:
        The student. Of ``fit_info``, what is said of the data, its seed and its warnings are the teacher's;
        ``"distilled_from"`` is the ``checkpoint_id`` of the teacher, ``"distillation_seed"`` the ``seed`` given here,
        and ``"distillation_error"`` the mean distance of values of samples, of a range of 2, on seeds that it did not
        learn on.

    Raises:
        CapabilityError: this generator has no networks that could be exchanged.
        NotFittedError: it is not fitted.
        ConfigError: an argument cannot be used, or settings would change other networks, too.
    """
    spec = teacher._fitted_spec()
    check_whole(steps=steps, batch_size=batch_size)
    if not (own := teacher.student_settings()):
        raise CapabilityError(f"{teacher._name} cannot be distilled: it states no settings of a smaller one")
    listeners = Callbacks(callback)
    fabric = devices.launched(device, "32-true")
    taught = copy.deepcopy(teacher).to(fabric.device).eval()
    names = {name for name, _, _ in _calls(taught, torch.arange(2), 1.0)}  # of the networks that samples go through
    student = _student(taught, config or own, names, check_seed(seed)).to(fabric.device)
    settings = FitSettings(
        steps=steps,
        max_seconds=None if max_time is None else seconds(max_time),
        batch_size=batch_size,
        seed=seed,
        evaluate_every=evaluations_every(steps),
        show=progress,
        callback=listeners or None,
    )
    began = time.perf_counter()
    nothing = NoData(spec, torch.empty(0), None, "distilled")
    with _learning(student, taught, names):
        outcome = FitLoop(student, nothing, nothing, None, settings, fabric).run()
    student.eval()
    kept = {key: value for key, value in teacher.fit_info.items() if key not in ("history", "best_step", "best_loss")}
    student.fit_info = {
        **copy.deepcopy(kept),
        "distilled_from": teacher.checkpoint_id,
        "distillation_seed": seed,
        "distillation_error": round(_apart(student, taught, seed), 4),
        "steps": outcome.step,
        "seconds": round(time.perf_counter() - began, 2),
        "ended": outcome.ended,
        "rollbacks": outcome.rollbacks,
        "history": outcome.history,
    }
    student.to(teacher.device)
    student.checkpoint_id = weights_id(student)
    listeners.on_fit_end(student)
    return student


def _student(teacher: Generator, config: Mapping[str, Any], networks: set[str], seed: int) -> Generator:
    """A generator of other settings with all weights of the teacher, but for those of its sampling ``networks`` that
    have another shape."""
    student = type(teacher)(**{**teacher.config, **config})
    student.plugin, student.plugin_version = teacher.plugin, teacher.plugin_version
    student.prepare(teacher.spec, seed=seed)
    student.drop_training_modules()
    known, own = teacher.state_dict(), student.state_dict()
    same = {name for name, tensor in own.items() if name in known and known[name].shape == tensor.shape}
    beyond = sorted({name.split(".")[0] for name in own.keys() - same} - networks)
    if beyond:
        raise ConfigError(
            f"{', '.join(f'{key}={value!r}' for key, value in config.items())} would change {', '.join(beyond)} as "
            f"well, and only {', '.join(sorted(networks))} can be learnt from samples: give settings such as "
            f"{teacher.student_settings()}"
        )
    if not own.keys() - same:
        raise ConfigError(f"{dict(config)} are the settings of the teacher: there is nothing to distil")
    student.load_state_dict({name: known[name] if name in same else own[name] for name in own})
    return student


def _calls(teacher: Generator, seeds: Tensor, temperature: float) -> list[Call]:
    """What goes through the networks of the teacher while it draws samples of seeds (n,), of all its classes alike."""
    seen: list[Call] = []
    known = teacher.spec.labels
    labels = None if known is None else known.drawn(seeds.cpu())
    if labels is not None and known.categorical:
        there = torch.tensor(known.counts).nonzero().flatten()
        labels = there[(uniform(seeds.cpu(), stream=_CLASS) * len(there)).long()]

    def watched(name: str) -> Any:
        network = type(teacher).for_sampling(teacher, name)

        def call(*given: Any) -> Tensor:
            made: Tensor = network(*given)
            seen.append((name, given, made))
            return made

        return call

    teacher.for_sampling = watched  # type: ignore[method-assign]
    try:
        with torch.no_grad():
            teacher.draw(
                None if labels is None else labels.to(teacher.device),
                seeds.to(teacher.device),
                temperature=temperature,
                truncation=None,
            )
    finally:
        del teacher.for_sampling
    if not seen:
        raise BrokenPluginError(
            f"{teacher._name} states student_settings, and its draw() takes no network by for_sampling(name): there "
            "is nothing that a student could learn"
        )
    return seen


@contextmanager
def _learning(student: Generator, teacher: Generator, names: set[str]) -> Iterator[None]:
    """While this is open, a step of the student is one of imitation, in its networks ``names``."""
    networks = {name: getattr(student, name) for name in sorted(names)}
    own = [one.requires_grad_(True) for network in networks.values() for one in network.parameters()]

    def training_step(batch: TrainingBatch) -> dict[str, Tensor]:
        calls = _calls(teacher, batch.seeds, _FARTHER if batch.step % 2 else 1.0)
        errors = [(networks[name](*given).float() - made.float()).square().mean() for name, given, made in calls]
        return {"loss": torch.stack(errors).mean()}

    before = {one: one.requires_grad for one in student.parameters()}
    student.training_step = training_step  # type: ignore[method-assign]
    student.optimizers = lambda: {"student": torch.optim.Adam(own, lr=_LR)}  # type: ignore[method-assign]
    try:
        yield
    finally:
        del student.training_step, student.optimizers
        for one, needed in before.items():
            one.requires_grad_(needed)


def _apart(student: Generator, teacher: Generator, seed: int) -> float:
    """Mean distance of the values of samples, in the form that generators see."""
    seeds = derive(seed, _CHECK, torch.arange(_CHECKED))
    a, b = (one.sample(seeds=seeds).model_x for one in (student, teacher))
    return float((a - b).abs().mean())
