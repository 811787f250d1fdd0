"""Search how to blend: ratio, schedule, temperature, filter, and the settings of the generator; or not at all."""

from __future__ import annotations

import statistics
import time
import warnings
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Subset

from augsynth._device import chosen_device
from augsynth._duration import seconds
from augsynth._names import known_by
from augsynth._numbers import check_whole
from augsynth._optional import import_optional
from augsynth._progress import progress_bar
from augsynth._settings import described
from augsynth.blending.dataset import SyntheticDataset
from augsynth.errors import ConfigError, DataError, FilterExhaustedError, FitError
from augsynth.fitting.stratified import stratified_split
from augsynth.fitting.training_data import TrainingData
from augsynth.generator.generator import Generator
from augsynth.seeding import check_seed, derive
from augsynth.tuning.candidates import Candidates
from augsynth.tuning.result import Tuning
from augsynth.utility.comparison import Comparison, compare
from augsynth.utility.scoring import Scorer
from augsynth.utility.trials import run_trials, usable_jobs

_STUDY, _CONFIRM = 0x70E, 0x70F
_NONE: dict[str, Any] = {"ratio": 0.0}


def tune(
    generator: Any,
    real: Any,
    *,
    validation: Any = 0.25,
    trials: int = 20,
    max_time: str | float | None = None,
    seeds: int = 2,
    confirm: int = 5,
    per_class: bool = False,
    filters: bool = True,
    transform: Any = None,
    steps: int | None = None,
    metric: str = "accuracy",
    study: str | Path | None = None,
    fit_options: dict[str, Any] | None = None,
    seed: int = 0,
    device: str | torch.device = "cpu",
    jobs: int | None = None,
    progress: bool = True,
) -> Tuning:
    """Search with Optuna (TPE, Bergstra et al. 2011) for the blend that a classifier gains most from.

    Ratio 0 is the first candidate. The best other one is then held against it once more, on seeds that the search did
    not use; where the interval of the difference does not lie above 0, ratio 0 wins.

    Args:
        generator: the name of a plugin, or a :class:`Generator` class: fitted on the training part, with settings out
            of its ``search_space()``. Or a fitted generator, if ``validation`` is a dataset that it has not seen.
        real: the training set, map-style, with labels.
        validation: share of each class to hold out of ``real``, or a dataset. Never the test set: everything is chosen
            on it.
        trials: how many in all; those of an earlier run of the same ``study`` count.
        max_time: stop the search after this time, as ``"30m"`` or seconds.
        seeds: trainings of each trial, averaged.
        confirm: trainings of the last comparison, at least 3.
        per_class: search a ratio for each class.
        filters: search the threshold of a filter that confirms labels, fitted on the training part.
        transform: classic augmentation of all samples, real and synthetic, in every trial; see :func:`tune_classic`.
        steps: updates of each training; None takes thirty passes.
        metric: ``"accuracy"`` or ``"balanced_accuracy"``.
        study: a file to keep the study in (Optuna's journal), or a storage URL; a search that was interrupted goes on.
        fit_options: of :func:`fit`, such as ``{"steps": 500}``.
        seed: everything random follows it.
        device: where to train.
        jobs: parallel processes, as of :func:`uplift`.
        progress: show a progress bar on a terminal.

    Raises:
        ConfigError: an argument cannot be used; or the generator has seen the validation samples.
        DataError: no labels, or a class that cannot be split.
        MissingDependencyError: the extra ``tune`` is not installed.
    """
    optuna = import_optional("optuna", extra="tune", purpose="searching")
    check_whole(trials=trials, seeds=seeds)
    check_whole(3, confirm=confirm)
    device = chosen_device(device)
    limit = None if max_time is None else seconds(max_time)
    data = TrainingData.read(real, show=progress)
    if data.spec.classes is None or data.classes is None:
        raise DataError("tune trains a classifier, which needs labels; the data has none")
    part, held = real, validation
    if isinstance(validation, (int, float)):
        if isinstance(generator, Generator) and generator.spec is not None:
            raise ConfigError(
                "a fitted generator may have seen the samples that would be held out of real; pass a dataset "
                "that it was not fitted on as validation=, or the generator's name, to have it fitted on the rest"
            )
        if not 0.0 < validation < 1.0:
            raise ConfigError(f"validation={validation!r}: expected a share in (0, 1), or a dataset")
        inside, outside = stratified_split(data, float(validation), seed)
        part, held = Subset(real, inside), Subset(real, outside)
    inner, outer = TrainingData.read(part, show=False), TrainingData.read(held, show=False)
    score = Scorer(inner, outer, metric=metric, train=None, steps=steps, batch_size=None, device=device)
    epochs = max(1, score.steps * score.batch_size // len(inner))
    workers = usable_jobs(jobs, device)
    candidates = Candidates(
        generator,
        part,
        per_class=per_class,
        filters=filters,
        epochs=epochs,
        seed=seed,
        device=device,
        fit_options=dict(fit_options or {}),
    )
    settings: dict[str, Any] = {
        "generator": _told_of(generator),
        "data": data.fingerprint,
        "validation": str(validation) if isinstance(validation, (int, float)) else f"a dataset, {outer.fingerprint}",
        "seeds": seeds,
        "steps": score.steps,
        "metric": metric,
        "per_class": per_class,
        "filters": filters,
        "transform": "none" if transform is None else described(transform),
        "fit_options": described({key: one for key, one in (fit_options or {}).items() if key != "callback"}),
        "seed": check_seed(seed),
    }

    def blend(params: dict[str, Any]) -> Any:
        source, options = candidates.source(params), candidates.options(params)

        def make(own: int) -> SyntheticDataset:
            return SyntheticDataset(part, source, transform=transform, seed=own, progress=False, **options)

        return make

    def scores(params: dict[str, Any], n: int, stream: int) -> list[float]:
        make = blend(params)
        numbers = [int(derive(seed, stream, i)) for i in range(n)]
        done = dict(run_trials(lambda _, i: score(make(numbers[i]), numbers[i]), [("", i) for i in range(n)], workers))
        return [done["", i]["score"] for i in range(n)]

    found = _study(optuna, study, settings, seed)
    zero = found.user_attrs.get("zero")
    if zero is None:
        zero = statistics.fmean(scores(_NONE, seeds, _STUDY))
        found.set_user_attr("zero", zero)

    def objective(trial: Any) -> float:
        params = candidates.suggest(trial)
        trial.set_user_attr("params", params)
        try:
            return statistics.fmean(scores(params, seeds, _STUDY))
        except (FilterExhaustedError, FitError) as error:
            trial.set_user_attr("failed", str(error))
            raise optuna.TrialPruned from error

    done = 1 + len(found.trials)
    began = time.monotonic()
    with progress_bar("searching", trials, show=progress) as bar, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="optuna")
        bar.update(done)
        for _ in range(max(0, trials - done)):
            if limit is not None and time.monotonic() - began > limit:
                break
            found.optimize(objective, n_trials=1)
            bar.update(1 + len(found.trials))
    rows = [{"score": zero, **_NONE}]
    rows += [
        {"score": trial.value, **trial.user_attrs["params"], **_failed(trial)}
        for trial in found.trials
        if "params" in trial.user_attrs
    ]
    best = max((row for row in rows[1:] if row["score"] is not None), key=lambda row: row["score"], default=None)
    if best is None or best["score"] <= zero:
        told = (
            f"Don't: in {len(rows)} trials, no blend scored above real data alone ({100 * zero:.2f} % {metric} on the "
            "validation samples)."
        )
        return Tuning(0.0, dict(_NONE), "don't", told, None, rows, settings, None, {"ratio": 0.0})
    params = {key: value for key, value in best.items() if key not in ("score", "failed")}
    # the search took the best of many by their scores on a few seeds: that score flatters, and fresh seeds decide
    last = compare(
        scores(_NONE, confirm, _CONFIRM),
        scores(params, confirm, _CONFIRM),
        what="the best blend against real data alone",
        metric=metric,
    )
    return _decided(params, last, rows, settings, candidates)


def _decided(
    params: dict[str, Any],
    comparison: Comparison,
    rows: list[dict[str, Any]],
    settings: dict[str, Any],
    candidates: Candidates,
) -> Tuning:
    """The best blend if it beat ratio 0, which wins ties."""
    low, high = (100 * end for end in comparison.interval)
    gain = (
        f"{100 * comparison.difference:+.2f} percentage points on the validation samples, {100 * comparison.level:g} % "
        f"confidence interval [{low:+.2f}, {high:+.2f}], on seeds that the search did not use"
    )
    if comparison.word == "helps":
        ratio = params["ratio"]
        told = f"Use ratio {_told(ratio)}: {gain}. Score it once on test data before you rely on it."
        return Tuning(
            ratio,
            params,
            "use",
            told,
            comparison,
            rows,
            settings,
            candidates.source(params),
            candidates.options(params),
        )
    told = f"Don't: the best of {len(rows)} trials against real data alone: {gain}."
    return Tuning(0.0, dict(_NONE), "don't", told, comparison, rows, settings, None, {"ratio": 0.0})


def _told_of(generator: Any) -> str:
    """What the trials of a study are of: a plugin, a class, or one fitted generator."""
    if isinstance(generator, Generator):
        return known_by(generator)
    return generator if isinstance(generator, str) else described(generator)


def _told(ratio: Any) -> str:
    if isinstance(ratio, dict):
        return ", ".join(f"{name}: {value:.2f}" for name, value in ratio.items())
    return f"{ratio:.2f}"


def _failed(trial: Any) -> dict[str, str]:
    return {"failed": trial.user_attrs["failed"]} if "failed" in trial.user_attrs else {}


def _study(optuna: Any, study: str | Path | None, settings: dict[str, Any], seed: int) -> Any:
    """A study in memory, in a journal file, or at a storage URL. Raises ConfigError where it is of other settings."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage: Any = None
    if study is not None:
        if "://" in str(study):
            storage = str(study)
        else:
            path = Path(study)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                backend = optuna.storages.journal.JournalFileBackend(str(path))
            except OSError as error:
                raise ConfigError(f"study={str(study)!r} cannot be written: {error.strerror or error}") from error
            storage = optuna.storages.JournalStorage(backend)
    # as many trials as there are, so that a study that goes on does not repeat what it drew before
    made = optuna.create_study(
        storage=storage,
        study_name="augsynth",
        direction="maximize",
        load_if_exists=True,
        sampler=_sampler(optuna, seed),
    )
    if made.trials:
        made.sampler = _sampler(optuna, seed + len(made.trials))
    known = made.user_attrs.get("settings")
    if known is not None and known != settings:
        differ = sorted(k for k in {*known, *settings} if known.get(k) != settings.get(k))
        raise ConfigError(
            f"study={str(study)!r} is of other settings (they differ in: {', '.join(differ)}); pass another file"
        )
    made.set_user_attr("settings", settings)
    return made


def _sampler(optuna: Any, seed: int) -> Any:
    return optuna.samplers.TPESampler(seed=(seed ^ (seed >> 32)) % 2**32, n_startup_trials=6)
