"""Are the samples any good: fidelity, diversity, labels and memorisation, each beside real data against real data."""

from __future__ import annotations

import logging
import warnings as python_warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from augsynth._device import chosen_device
from augsynth._numbers import check_whole
from augsynth._progress import progress_bar
from augsynth.callbacks import Callbacks
from augsynth.errors import ConfigError, MissingDependencyError, PrivacyViolationError
from augsynth.evaluation.inputs import prepare
from augsynth.evaluation.measurements import Measurements
from augsynth.evaluation.result import Evaluation
from augsynth.seeding import check_seed
from augsynth.utility.result import write_json

log = logging.getLogger("augsynth")


def evaluate(
    gen: Any,
    real: Any,
    holdout: Any,
    *,
    n: int = 1000,
    features: Any = "auto",
    metrics: Sequence[Any] = (),
    overlap: str = "error",
    judge: Any = None,
    judge_steps: int | None = None,
    seed: int = 0,
    device: str | torch.device = "cpu",
    out: str | Path | None = None,
    callback: Any = None,
    progress: bool = True,
    **sampling: Any,
) -> Evaluation:
    """Compare generated samples with held-out ones, and say what is plainly wrong with them.

    Three sets of equal size and equal classes are compared: generated, training and held-out samples. What the training
    set shows against the held-out one is the floor: no generator can be asked for more.

    Args:
        gen: a fitted generator or another source with ``sample``; or a dataset of samples that were made before.
        real: the training set that it was fitted on.
        holdout: samples that it was not fitted on. Nothing is chosen by them.
        n: samples of each set, at most; fewer where a set, or a class of it, has fewer.
        features: ``"classifier"``, one fitted on ``real`` (default for labelled tensors; kept in the user's cache by
            the fingerprint of the data), ``"pca"`` (for unlabelled ones), others that the kind of data has, or a
            callable: n samples as generators see them → (n, d).
        metrics: further ones, or one: names of metric plugins, or callables ``(made, train, held)`` of three
            :class:`Samples` that return a :class:`Figure` or several.
        overlap: what to do with held-out samples that are in the training set as well: ``"error"``, ``"drop"``, or
            ``"keep"`` where different ones are equal by chance, as rows of few values are: without them, generated
            samples that are equal by chance would be taken for copies.
        judge: of the labels: a classifier that is fitted on ``real``, with ``fit(inputs, labels)``, ``labels`` and
            ``probabilities(inputs)``, such as :class:`EmbeddingClassifier`; ``"embeddings"`` for that one; None for
            what suits the kind of data.
        judge_steps: updates of the classifier; None takes thirty passes.
        seed: everything random follows it.
        device: for the classifier; generators stay where they are.
        out: folder for ``evaluation.json``, written after each part, and, with the extra ``report``,
            ``evaluation.html``.
        callback: an :class:`augsynth.Callback`, or several, that hears of the result.
        progress: show a progress bar on a terminal.
        sampling: passed to ``gen.sample``: ``temperature``, ``truncation``, options.

    Returns:
        An :class:`Evaluation`. A flag is raised only where an interval excludes the floor and the difference matters;
        that none is raised proves nothing.

    Raises:
        DataError: the holdout overlaps the training set (by hash), lacks a class, differs in form, or there are fewer
            than twenty samples to compare.
        ConfigError: an argument cannot be used.
        PrivacyViolationError: the training set is given away more than the fit's privacy statement allows; what was
            found is in ``out`` all the same, and holds if ``real`` and ``holdout`` were split at random.
    """
    check_whole(n=n)
    listeners, seed, device = Callbacks(callback), check_seed(seed), chosen_device(device)
    folder = None if out is None else Path(out)
    if folder is not None:
        write_json(folder / "evaluation.json", {"complete": False})  # a folder that cannot be written is said now
    with python_warnings.catch_warnings():
        python_warnings.filterwarnings("ignore", module="(sklearn|torchmetrics).*")
        sets = prepare(gen, real, holdout, n=n, seed=seed, overlap=overlap, show=progress, sampling=sampling)
        parts = Measurements(gen, sets, features, judge_steps, seed, device, judge)
        for metric in [metrics] if isinstance(metrics, str) or callable(metrics) else metrics:
            parts.add_metric(metric)
        found = parts.found
        with progress_bar("evaluating", len(parts.steps), show=progress) as bar:
            for name, step in parts.steps.items():
                try:
                    step()
                except ConfigError:
                    raise
                except Exception as error:  # what was measured is kept; the rest is said
                    found.failed[name] = f"{type(error).__name__}: {error}"
                bar.advance()
                if folder is not None:
                    write_json(folder / "evaluation.json", {"complete": False, **found.to_json()})
        parts.conclude()
    if folder is not None:
        try:
            found.save(folder)
        except MissingDependencyError as error:
            log.info("%s; %s has the numbers", error, folder / "evaluation.json")
    listeners.on_result(found)
    if found.audit is not None and found.audit.violated:
        raise PrivacyViolationError(str(found.audit), found.audit)
    return found
