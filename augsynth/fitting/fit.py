"""Fit a generator on a dataset."""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any

import torch

from augsynth._duration import seconds
from augsynth._names import name_of
from augsynth._numbers import check_shares, check_whole
from augsynth.callbacks import Callbacks
from augsynth.checkpoint.format import STATE
from augsynth.checkpoint.writing import check_place, checkpoint_folder, weights_id, write
from augsynth.errors import CollapseWarning, ConfigError, ResizeWarning
from augsynth.fitting import devices, private, private_loop, reading
from augsynth.fitting.health import COLLAPSED_BELOW, diversity
from augsynth.fitting.installed import installed_generators
from augsynth.fitting.loop import FitLoop, FitSettings, evaluations_every
from augsynth.fitting.ranks import Ranks
from augsynth.fitting.resumption import check_same
from augsynth.fitting.training_data import TrainingData
from augsynth.generator.generator import Generator
from augsynth.plugin_specs import ANY
from augsynth.privacy.budget import Privacy
from augsynth.recognition import modality_of
from augsynth.registry import default_registry
from augsynth.seeding import check_seed
from augsynth.structure import Fields

_DEFAULT_STEPS, _DEFAULT_BATCH = 2000, 64
_UNBOUNDED = 2**31  # a private fit has no samples left to draw batches from
_HOLD_OUT_FROM = 500  # fewer samples are too dear to hold some out


def fit(
    generator: str | type[Generator] | Generator,
    dataset: Any,
    *,
    steps: int | None = None,
    max_time: str | float | None = None,
    batch_size: int | None = None,
    micro_batch_size: int | None = None,
    device: str | torch.device = "auto",
    precision: str = "32-true",
    strategy: str = "auto",
    seed: int = 0,
    fields: Fields | None = None,
    labels: bool = True,
    topics: Any = None,
    modality: Any = None,
    validation: float | None = None,
    patience: int | None = 5,
    privacy: Privacy | None = None,
    cache_dir: str | Path | None = None,
    checkpoint_dir: str | Path | None = None,
    checkpoint_every: int = 1000,
    resume: bool = False,
    callback: Any = None,
    progress: bool = True,
    **config: Any,
) -> Generator:
    """Fit a generator on the samples that ``dataset`` yields.

    The dataset is read once, into memory or into a file; its own random transforms are therefore applied once.

    Args:
        generator: name of a plugin (``"gan"``), a :class:`Generator` class of your own, or an unfitted instance.
        dataset: map-style or finite iterable; yields inputs of a kind that an installed modality knows, alone, in
            tuples or in dicts.
        steps: number of updates; None takes the preset for the amount of data.
        max_time: stop after this time, as ``"5m"`` or seconds, whichever of steps and time comes first. If only
            ``max_time`` is given, it alone decides. A fit that time ends is not reproducible.
        batch_size: samples a step, over all processes; None takes the preset.
        micro_batch_size: compute the gradients of a step in parts of at most so many samples, of each process, where a
            batch does not fit into memory; for generators with one optimizer. Where samples of a batch meet (batch
            norms, the variance of a VAE), they then meet those of their part.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.
        precision: as of Lightning Fabric, such as ``"32-true"`` or ``"bf16-mixed"``.
        strategy: ``"auto"``, this process alone; or ``"ddp"``: the processes that ``torchrun`` started take each step
            together, every one with its part of the batch, and all return the same generator. Files are written, and
            callbacks called, by the first. The process group, where there was none, stays for what follows.
        seed: everything random follows it; no global RNG is touched.
        fields: where input and label are in a sample, ``{"x": key, "y": key}``.
        labels: False fits without labels.
        topics: fit by topic, for generators that can: what :func:`augsynth.topics.fit` returned, a number of
            topics to find, or a topic (str or int) for each sample. With labels, both are conditions.
        modality: name of the kind of data, such as ``"mine/curve"``, where several claim it, or none does.
        validation: share of the samples held out to choose the best weights on, for generators that have a
            validation loss; None takes the preset, or 0.1 from 500 samples on, else 0.
        patience: end when the validation loss has not improved for this many evaluations, of which a fit has twenty;
            None goes on to the end.
        privacy: a :class:`Privacy` budget, for generators that can keep to one: the data is read once, or by gradients
            of single samples (DP-SGD), through noise that no seed repeats, and ``fit_info["privacy"]`` states what is
            guaranteed and what is not.
        cache_dir: keep the samples in a file in this folder rather than in memory, for data that do not fit there:
            tensors only, as many bytes as the dataset yields. It is gone when the fit ends. The result is the same.
        checkpoint_dir: write a usable checkpoint and the training state there, every ``checkpoint_every`` steps, on
            interruption and at the end.
        resume: go on from ``checkpoint_dir``; on a CPU the result is that of an uninterrupted fit.
        callback: called with the step and the mean losses, every 20 steps: a callable, an :class:`augsynth.Callback`
            (which also hears of the fitted generator), or several of them.
        progress: show a progress bar on a terminal.
        config: settings of the generator.

    Returns:
        The fitted generator. ``gen.fit_info`` has steps, losses, warnings and the data's fingerprint.

    Raises:
        DataError: the data is empty, unreadable, or of a form not understood.
        ConfigError: an argument cannot be used.
        FitError: the loss was not finite from the start.
    """
    listeners = Callbacks(callback)
    made = _instance(generator, config)
    check_whole(or_none=True, steps=steps, batch_size=batch_size, micro_batch_size=micro_batch_size)
    check_whole(0, or_none=True, patience=patience)
    check_whole(checkpoint_every=checkpoint_every)
    if validation is not None:
        check_shares(below_one=True, validation=validation)
    if resume and checkpoint_dir is None:
        raise ConfigError("resume=True needs the checkpoint_dir to resume from")
    _check_strategy(strategy, made, privacy)
    if micro_batch_size is not None and (privacy is not None or not _by_steps(made)):
        why = (
            "is not fitted by steps on batches"
            if privacy is None
            else "takes its batches in parts by itself (privacy=)"
        )
        raise ConfigError(f"micro_batch_size={micro_batch_size}: {name_of(made)} {why}")
    max_seconds = None if max_time is None else seconds(max_time)
    seed = check_seed(seed)
    folder = None if checkpoint_dir is None else Path(checkpoint_dir)
    if folder is not None:
        check_place(folder)  # before anybody waits for the fit

    fabric = devices.launched(device, precision, strategy) if strategy != "auto" else None
    ranks = Ranks(fabric)
    labelled, show = labels and "label" in made.conditions, progress and ranks.leads
    data = reading.read(dataset, ranks, cache_dir, fields=fields, labelled=labelled, modality=modality, show=show)
    _check_modality(made, data)
    _check_targets(made, data)
    if topics is not None:
        if "topic" not in made.conditions:
            raise ConfigError(f"topics={topics!r}: {name_of(made)} cannot be fitted by topic")
        data = data.by_topic(*modality_of(data.spec).topics_for(data.raw, topics, seed))
    spec = data.spec
    if privacy is not None:
        private.check(made, privacy, data, topics=topics, validation=validation or None)
        spec = private.public(spec)
    presets = type(made).presets(spec, len(data))
    by_private_steps = privacy is not None and private.by_steps(made)
    seen = data
    if by_private_steps:
        private_loop.check_precision(precision)
        presets, own = private_loop.presets(type(made), spec, len(data))
        made.config = {**own, **made.config}
        seen = private.nothing_of(data, spec)
    made.config = {**type(made).settings_from(seen, made.config), **made.config}
    given = set(made.config)
    made.prepare(spec, n=len(data), seed=seed)
    if (remark := made.remark(given)) is not None and ranks.leads:
        warnings.warn(remark, ResizeWarning, stacklevel=2)
    fingerprint = data.fingerprint if privacy is None else private.FINGERPRINT
    made.fit_info = {"samples": len(data), "data_fingerprint": fingerprint, "seed": seed, "warnings": []}
    started = time.perf_counter()
    held_out: TrainingData | None = None
    if private.reads_once(made):
        data = private.read_once(made, data, privacy, folder if resume else None)
    if type(made).learn is not Generator.learn:
        made.learn(data)
        outcome: dict[str, Any] = {"steps": 0, "ended": "completed", "history": []}
    else:
        bounded = max_seconds is None or by_private_steps  # the noise follows from the number of steps
        total = steps or (int(presets.get("steps", _DEFAULT_STEPS)) if bounded else None)
        settings = FitSettings(
            steps=total,
            max_seconds=max_seconds,
            batch_size=min(batch_size or int(presets.get("batch_size", _DEFAULT_BATCH)), len(data) or _UNBOUNDED),
            seed=seed,
            micro_batch_size=micro_batch_size,
            checkpoint_dir=folder,
            checkpoint_every=checkpoint_every,
            evaluate_every=evaluations_every(total or 2000),
            patience=patience,
            show=show,
            callback=listeners if listeners and ranks.leads else None,
        )
        made.fit_info["batch_size"] = settings.batch_size
        fabric = fabric or devices.launched(device, precision)
        made.to(fabric.device)
        loop: FitLoop
        if privacy is not None and by_private_steps:
            loop = private_loop.of(made, data, spec, settings, fabric, privacy, folder if resume else None)
            data = loop.everything
        else:
            usual = presets.get("validation", 0.1 if len(data) >= _HOLD_OUT_FROM else 0.0)
            share = usual if validation is None else validation
            has_validation = type(made).validation_loss is not Generator.validation_loss
            train, held_out = data.split(share if has_validation else 0.0, seed)
            loop = FitLoop(made, data, train, held_out, settings, fabric, ranks)
        if resume and folder is not None:
            check_same(folder, made, data)
            loop.resume(folder)
        outcome = vars(loop.run())
        loop.take_best()
    made.eval()
    with torch.no_grad():
        made.finish(data)
    made.drop_training_modules()
    if held_out is not None:
        with torch.no_grad():
            made.fit_info.update(made.assess(held_out))
    made.fit_info.update(
        steps=outcome["step"] if "step" in outcome else outcome["steps"],
        seconds=round(outcome.get("elapsed", time.perf_counter() - started), 2),
        ended=outcome["ended"],
        best_step=outcome.get("best_step"),
        best_loss=outcome.get("best_loss"),
        rollbacks=outcome.get("rollbacks", 0),
        history=outcome["history"],
    )
    if len(data):
        _report_health(made, data)
    made.checkpoint_id = weights_id(made)
    if folder is not None and ranks.leads:
        _save_keeping_state(made, folder)
    if outcome["ended"] != "interrupted":
        ranks.barrier()  # nobody reads the checkpoint before it is there
    if ranks.leads:
        listeners.on_fit_end(made)
    return made


def _check_modality(made: Generator, data: TrainingData) -> None:
    wanted, found = made.modality, data.spec.modality
    if wanted in (ANY, found, data.spec.kind) and (wanted != ANY or data.spec.tensors):
        return
    fitting = (data.spec.kind, found, *((ANY,) if data.spec.tensors else ()))
    raise ConfigError(
        f"{name_of(made)} is for {wanted} data, and this dataset yields {data.spec.described}; "
        f"for {data.spec.kind} there are: {installed_generators(lambda one: one.modality in fitting)}"
    )


def _check_targets(made: Generator, data: TrainingData) -> None:
    known = data.spec.labels
    if known is None or known.categorical or known.kind in made.conditions:
        return
    kinds = (ANY, data.spec.kind, data.spec.modality)
    can = installed_generators(lambda one: one.modality in kinds and known.kind in one.conditions)
    raise ConfigError(
        f"the targets are of kind {known.kind!r} ({known.described}), and {name_of(made)} can be "
        f"conditioned on: {', '.join(sorted(made.conditions)) or 'nothing'}. These can: {can}; "
        "or fit without targets: labels=False"
    )


def _check_strategy(strategy: str, made: Generator, privacy: Privacy | None) -> None:
    if strategy not in devices.STRATEGIES:
        raise ConfigError(f"strategy={strategy!r}: expected one of {', '.join(map(repr, devices.STRATEGIES))}")
    if strategy == "auto":
        return
    if privacy is not None:
        raise ConfigError(f"strategy={strategy!r} with privacy=: the noise of a private fit is that of one process")
    if not _by_steps(made):
        raise ConfigError(
            f"strategy={strategy!r}: {name_of(made)} is not fitted by steps on batches: "
            "there is nothing to share; leave it out"
        )


def _by_steps(made: Generator) -> bool:
    """Whether it is fitted by steps on batches of samples."""
    return type(made).learn is Generator.learn and not private.reads_once(made)


def _instance(generator: str | type[Generator] | Generator, config: dict[str, Any]) -> Generator:
    if isinstance(generator, str):
        return default_registry().create("generator", generator, **config)
    if isinstance(generator, type) and issubclass(generator, Generator):
        return generator(**config)
    if isinstance(generator, Generator):
        if generator.spec is not None:
            raise ConfigError("this generator is fitted already; pass its name or class to fit a new one")
        if config:
            raise ConfigError(f"settings {sorted(config)} belong into the constructor of the generator that you passed")
        return generator
    raise ConfigError(f"generator={generator!r}: expected the name of a plugin, a Generator class or an instance")


def _report_health(generator: Generator, data: TrainingData) -> None:
    ratios = {} if generator.costly else diversity(generator, data)
    collapsed = [name for name, ratio in ratios.items() if ratio < COLLAPSED_BELOW]
    generator.fit_info["diversity"] = {name: round(ratio, 3) for name, ratio in ratios.items()}
    if collapsed:
        text = f"the samples of {', '.join(collapsed)} are nearly identical (collapsed)"
        generator.fit_info["warnings"].append(text)
        warnings.warn(
            f"{text}: fit for longer, on more data, or with another generator before you use them",
            CollapseWarning,
            stacklevel=3,
        )


def _save_keeping_state(generator: Generator, folder: Path) -> None:
    from augsynth.fitting.training_state import read_state, write_state

    state = read_state(folder / STATE) if (folder / STATE).is_dir() else None
    with checkpoint_folder(folder) as draft:
        write(generator, draft)
        if state is not None:
            write_state(draft / STATE, state)
