"""What training gains from synthetic samples, against classic augmentation, at equal steps."""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from augsynth._device import chosen_device
from augsynth._names import known_by
from augsynth._progress import progress_bar
from augsynth._settings import described
from augsynth._version import __version__
from augsynth.callbacks import Callbacks
from augsynth.errors import ConfigError, MissingDependencyError
from augsynth.fitting.seen import fitted_on_others
from augsynth.fitting.training_data import TrainingData
from augsynth.generator.generator import Generator
from augsynth.pool.sample_pool import SamplePool
from augsynth.seeding import check_seed, derive
from augsynth.utility.arms import BOTH, CLASSIC, REAL, SYNTHETIC, checked_arms, standard_arms
from augsynth.utility.looks import Looks
from augsynth.utility.pseudo_labels import PseudoLabels
from augsynth.utility.result import Uplift, summarised
from augsynth.utility.scoring import Predict, Scorer
from augsynth.utility.trials import TrialStore, run_trials, usable_jobs

log = logging.getLogger("augsynth")

_ARM_SEED = 0x0F11


def uplift(
    real: Any,
    holdout: Any,
    arms: Any,
    *,
    baseline: str | None = None,
    candidate: str | None = None,
    ratio: Any = 0.3,
    classic: Any = None,
    blend: Mapping[str, Any] | None = None,
    unlabelled: Any = None,
    precision: float = 0.9,
    seeds: int = 5,
    steps: int | None = None,
    batch_size: int | None = None,
    metric: str = "accuracy",
    train: Callable[..., Predict] | None = None,
    stop_early: bool = True,
    seed: int = 0,
    device: str | torch.device = "cpu",
    jobs: int | None = None,
    out: str | Path | None = None,
    callback: Any = None,
    progress: bool = True,
) -> Uplift:
    """Train with and without synthetic samples, at equal optimiser steps, and say whether they helped.

    Args:
        real: the training set, map-style, with labels.
        holdout: samples to score on; nothing is chosen by them.
        arms: a fitted generator, for the arms ``"real"``, ``"real + classic"``, ``"real + synthetic"`` and
            ``"real + classic + synthetic"`` (see :func:`standard_arms`); or a mapping of names to datasets, or to
            callables that take a seed and return one.
        baseline, candidate: the two arms that the verdict compares. With a generator: both, against classic
            augmentation (without ``classic``, synthetic against real); else the last arm against the first.
        ratio, classic: of the standard arms. Tune ``classic`` first (:func:`tune_classic`), or the comparison flatters
            nobody.
        blend: further options of :class:`SyntheticDataset` for the standard arms, such as ``{"mode": "vary"}``.
        unlabelled: real samples without labels, for one more arm: a judge that is fitted on ``real`` gives labels to
            those that it is sure of (:func:`annotate`). The sentence says whether that was the better buy. With arms of
            your own, ``classic`` is for this one alone.
        precision: the share of these labels that is to be right.
        seeds: how many, at least 2. A seed decides weights, order, blend and augmentation, alike for all arms.
        steps, batch_size: of every arm; None takes what suits the built-in classifier.
        metric: ``"accuracy"`` or ``"balanced_accuracy"`` (the mean over classes).
        train: a training function of your own, ``train(dataset, steps=, batch_size=, seed=, device=)``, that returns
            ``predict``: a list of inputs as your dataset yields them → (n,) class positions or (n, classes) scores.
            None trains a small built-in one.
        stop_early: stop as soon as the answer is clear; see :class:`Looks` for the sequential test.
        seed: everything random follows it.
        device: ``"cpu"``, ``"cuda"``, ..., ``"auto"``.
        jobs: parallel processes; None takes one a core on a CPU, else one.
        out: folder for finished trials; with it, a run that was killed goes on where it was. ``uplift.json`` and, with
            the extra ``report``, ``uplift.html`` are written there at the end. Arms are told apart by their names.
        callback: an :class:`augsynth.Callback`, or several, that hears of the result.
        progress: show a progress bar on a terminal.

    Raises:
        ConfigError: an argument cannot be used, or ``out`` holds trials of other settings.
        DataError: no labels, a class of ``real`` that ``holdout`` lacks, or samples that differ in form.
    """
    listeners, device = Callbacks(callback), chosen_device(device)
    if isinstance(seeds, bool) or not isinstance(seeds, int) or seeds < 2:
        raise ConfigError(f"seeds={seeds!r}: a confidence interval needs at least 2; 5 or more are better")
    train_data, test = TrainingData.read(real, show=progress), TrainingData.read(holdout, show=progress)
    score = Scorer(train_data, test, metric=metric, train=train, steps=steps, batch_size=batch_size, device=device)
    own_arms = isinstance(arms, (Generator, SamplePool))
    if blend and not own_arms:
        raise ConfigError(f"blend={dict(blend)!r} is for the arms of a generator; arms of your own have theirs already")
    standard = {"ratio": ratio, "classic": classic, **(blend or {})}
    named = checked_arms(standard_arms(real, arms, **standard) if own_arms else arms)
    baseline, candidate = _compared(named, baseline, candidate, own_arms)
    pseudo = None
    if unlabelled is not None:
        pseudo = PseudoLabels(real, unlabelled, precision=precision, seed=seed, device=device, classic=classic)
        if pseudo.name in named:
            raise ConfigError(f"arms: {pseudo.name!r} is the name of the arm that unlabelled= adds; give yours another")
        named[pseudo.name] = pseudo.arm
    jobs = usable_jobs(jobs, device)
    settings: dict[str, Any] = {
        "arms": list(named),
        "steps": score.steps,
        "batch_size": score.batch_size,
        "metric": metric,
        "seed": check_seed(seed),
        "train": "built in" if train is None else getattr(train, "__qualname__", type(train).__name__),
        "training samples": len(train_data),
        "holdout samples": len(test),
        "data": train_data.fingerprint,
        "holdout": test.fingerprint,
    }
    caveats = []
    if own_arms:
        of = arms.generator if isinstance(arms, SamplePool) else arms
        settings |= {name: described(value) for name, value in standard.items()}
        settings["generator"] = known_by(of)
        if (seen := fitted_on_others(of, train_data)) is not None:
            caveats.append(
                f"The generator was fitted on other samples (fingerprint {seen}) than the training set yields "
                f"({train_data.fingerprint}): if held-out ones were among them, its gain is too good to be true."
            )
    if pseudo is not None:
        settings["pseudo-labels"] = f"{len(pseudo.annotation.accepted)} at a precision of {precision}"
        settings |= {"classic": described(classic), "unlabelled": pseudo.annotation.fingerprint}
    store = TrialStore(None if out is None else Path(out), settings)

    def run(arm: str, number: int) -> dict[str, Any]:
        own = arm_seed(seed, number)
        return score(named[arm](own), own)

    looks, done = Looks(seeds, stop_early), 0
    with progress_bar("training arms", seeds * len(named), show=progress, at_once=jobs) as bar:
        bar.update(len(store.done))
        ahead = max(1, jobs // len(named))  # seeds at a time, so that no core is idle
        while done < seeds:
            upto = min(seeds, max(done + ahead, min(2, seeds)))
            missing = [(arm, i) for i in range(upto) for arm in named if (arm, i) not in store.done]
            for key, trial in run_trials(run, missing, jobs):
                store.add(key, trial)
                bar.update(len(store.done))
            done = upto
            level = looks.level(done)
            trials = {arm: [store.done[arm, i] for i in range(done)] for arm in named}
            stopped = done < seeds
            result = summarised(
                trials,
                baseline=baseline,
                candidate=candidate,
                metric=metric,
                level=level,
                classes=score.spec.labels.displayed,
                rest={
                    "stopped_early": stopped,
                    "caveats": caveats + _caveats(done, looks, len(train_data), named, own_arms, classic),
                    "settings": {
                        **settings,
                        "seeds": done,
                        "jobs": jobs,
                        "device": device,
                        "versions": f"augsynth {__version__}, torch {torch.__version__}, "
                        f"Python {platform.python_version()}",
                    },
                },
            )
            if looks.is_due(done) and result.verdict != "no difference":
                break
    if pseudo is not None:
        result = replace(result, sentence=f"{result.sentence} {pseudo.told(result)}")
    if out is not None:
        try:
            result.save(out)
        except MissingDependencyError as error:
            log.info("%s; %s has the numbers", error, Path(out) / "uplift.json")
    listeners.on_result(result)
    return result


def arm_seed(seed: int, number: int) -> int:
    """The seed that the arms of :func:`uplift` are called with for its ``number``-th training."""
    return int(derive(seed, _ARM_SEED, number))


def _compared(arms: dict[str, Any], baseline: str | None, candidate: str | None, own: bool) -> tuple[str, str]:
    names = list(arms)
    standard = (CLASSIC, BOTH) if BOTH in arms else (REAL, SYNTHETIC)
    pair = standard if own else (names[0], names[-1])
    chosen = (baseline or pair[0], candidate or pair[1])
    for role, name in zip(("baseline", "candidate"), chosen, strict=True):
        if name not in arms:
            raise ConfigError(f"{role}={name!r}: there is no such arm; there are: {', '.join(names)}")
    if chosen[0] == chosen[1]:
        raise ConfigError(f"baseline and candidate are both {chosen[0]!r}")
    return chosen


def _caveats(done: int, looks: Looks, n: int, arms: dict[str, Any], own: bool, classic: Any) -> list[str]:
    told = [
        f"The interval is Student's t over {done} paired seeds; with so few it is wide.",
        "The seeds vary weights, order, blend and augmentation. Unless an arm says otherwise, the training samples "
        f"({n}) and the generator are one draw; another may come out differently.",
        "Nothing was chosen on the holdout by this function. If you choose ratio, generator or arms by it, score once "
        "more on data that you have not looked at.",
    ]
    if looks.before:
        told.append(
            f"It may stop early: {looks.before} looks share an error of 0.01, the last has 0.04, so that a false "
            "alarm is at most 5 % in all. Intervals of single arms are at 95 %."
        )
    if own and classic is None:
        told.append("Classic augmentation was not among the arms, and is often the stronger choice with few samples.")
    if len(arms) > 2:
        told.append("Only baseline and candidate were compared by the test; other differences are shown, not tested.")
    return told
