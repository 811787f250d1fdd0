"""What a recipe may say: its sections and their keys, with what each value must be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import MISSING, dataclass, field, fields
from typing import Annotated, Any, get_args, get_type_hints

from augsynth.errors import ConfigError
from augsynth.privacy.budget import Privacy

Check = Callable[[Any], Any]
"""Takes what stands in the file; returns the value, or raises a ValueError that completes "expected ..."."""


def _words(value: Any) -> str:
    if isinstance(value, str) and value.strip():
        return value
    raise ValueError("words")


def _whole(least: int) -> Check:
    def check(value: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and value >= least:
            return value
        raise ValueError(f"a whole number from {least} up")

    return check


def _share(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise ValueError("a share from 0 to 1")


def _number(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    raise ValueError("a number")


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("true or false")


def _named(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return dict(value)
    raise ValueError("names with values, such as {width: 32}")


def _one_of(*options: str) -> Check:
    def check(value: Any) -> str:
        if value in options:
            return str(value)
        raise ValueError("one of " + ", ".join(options))

    return check


def _either(*checks: Check) -> Check:
    def check(value: Any) -> Any:
        told = []
        for one in checks:
            try:
                return one(value)
            except ValueError as error:
                told.append(str(error))
        raise ValueError(", or ".join(told))

    return check


def _ratios(value: Any) -> dict[Any, float]:
    if isinstance(value, Mapping) and value:
        return {key: _share(one) for key, one in value.items()}
    raise ValueError("a share for each class, such as {cat: 0.5}")


def _strengths(value: Any) -> dict[Any, float]:
    if isinstance(value, Mapping) and value:
        with suppress(ValueError):
            return {key: _number(one) for key, one in value.items()}
    raise ValueError("one for each class, such as {cat: 0.5}")


def _plugins(value: Any) -> list[tuple[str, dict[str, Any]]]:
    """``[name, {name: {option: value}}, ...]`` as names with options."""
    made: list[tuple[str, dict[str, Any]]] = []
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str):
            made.append((one, {}))
        elif isinstance(one, Mapping) and len(one) == 1:
            ((name, options),) = one.items()
            made.append((_words(name), _named(options or {})))
        else:
            raise ValueError("names of plugins, each alone or with options, such as {confidence: {threshold: 0.5}}")
    return made


def _budget(value: Any) -> dict[str, Any]:
    given = _named(value)
    known = [one.name for one in fields(Privacy)]
    if unknown := sorted(set(given) - set(known)):
        raise ValueError(f"keys out of {', '.join(known)}, not {', '.join(unknown)}")
    if not {"epsilon", "delta"} <= set(given):
        raise ValueError("epsilon and delta, such as {epsilon: 3, delta: 1e-5}")
    try:
        Privacy(**given)
    except ConfigError as error:
        raise ValueError(f"a budget; {error}") from error
    return given


def _classic(value: Any) -> Any:
    if value in ("tune", "none", None):
        return value or "none"
    return _plugins(value)


_Words = Annotated[str, _words]
_Named = Annotated[dict[str, Any], _named]
_Share = Annotated[float, _share]
_Found = Annotated[str, _one_of("keep", "drop", "skip")]


@dataclass(frozen=True)
class DataKeys:
    """Which data, and how much of it.

    Attributes:
        train: as ``--data`` of every command.
        test: data to score on; else the test split of ``train``, or ``holdout``.
        holdout: share of ``train`` to score on, where there is no test split.
        options: of reading the data.
        per_class: training samples of each class, drawn at random.
        long_tail: ``{most: 100, least: 4}``: classes from frequent to rare.
        sampling: ``balanced``: each class as often as the largest.
    """

    train: _Words
    test: _Words | None = None
    holdout: _Share | None = None
    options: _Named = field(default_factory=dict)
    per_class: Annotated[int | None, _whole(2)] = None
    long_tail: _Named | None = None
    sampling: Annotated[str, _one_of("natural", "balanced")] = "natural"


@dataclass(frozen=True)
class PrepareKeys:
    """What becomes of what is found in the training data first: kept and listed, dropped, or not looked for.

    Attributes:
        duplicates: exact and near ones.
        leaks: training samples that are in the test data, too.
        labels: samples whose label is doubted.
        outliers: samples unlike all others.
    """

    duplicates: _Found = "drop"
    leaks: _Found = "drop"
    labels: _Found = "keep"
    outliers: _Found = "keep"


@dataclass(frozen=True)
class GeneratorKeys:
    """What is fitted.

    Attributes:
        name: as listed by ``augsynth plugins``.
        steps: updates; else what suits the amount of data.
        max_time: stop after this time, such as ``5m``; figures then vary.
        topics: find so many topics, and fit by them, too.
        batch_size, micro_batch_size, cache_dir: as of :func:`augsynth.fit`.
        privacy: a budget, ``{epsilon: 3, delta: 1e-5}``, for each generator that is fitted; what else it may hold is
            that of :class:`augsynth.Privacy`.
        settings: of the generator.
    """

    name: _Words
    steps: Annotated[int | None, _whole(1)] = None
    max_time: Annotated[Any, _either(_words, _number)] = None
    topics: Annotated[int | None, _whole(2)] = None
    batch_size: Annotated[int | None, _whole(1)] = None
    micro_batch_size: Annotated[int | None, _whole(1)] = None
    cache_dir: _Words | None = None
    privacy: Annotated[dict[str, Any] | None, _budget] = None
    settings: _Named = field(default_factory=dict)


@dataclass(frozen=True)
class BlendKeys:
    """How its samples are mixed in.

    Attributes:
        ratio: synthetic share, or one for each class.
        mode, condition, strength, variations, temperature, sample_options, vary_options: as of
            :class:`augsynth.SyntheticDataset`.
    """

    ratio: Annotated[Any, _either(_share, _ratios)] = 0.3
    mode: Annotated[str, _one_of("replace", "append", "vary")] = "replace"
    condition: Annotated[Any, _either(_words, _named)] = "match"
    strength: Annotated[Any, _either(_number, _strengths)] = None
    variations: Annotated[int | None, _whole(1)] = None
    temperature: Annotated[float | None, _number] = None
    sample_options: _Named = field(default_factory=dict)
    vary_options: _Named = field(default_factory=dict)


@dataclass(frozen=True)
class VerdictKeys:
    """How it is judged.

    Attributes:
        evaluate: realistic, varied, rightly labelled, no copies?
        uplift: does training gain?
        seeds: trainings of each arm.
        draws: ``each``: a training set and a generator of its own for each seed.
        steps: updates of each training.
        metric: what is compared.
    """

    evaluate: Annotated[bool, _flag] = True
    uplift: Annotated[bool, _flag] = True
    seeds: Annotated[int, _whole(2)] = 5
    draws: Annotated[str, _one_of("one", "each")] = "one"
    steps: Annotated[int | None, _whole(1)] = None
    metric: Annotated[str, _one_of("accuracy", "balanced_accuracy")] = "accuracy"


@dataclass(frozen=True)
class Recipe:
    """A recipe as it is run.

    Attributes:
        data, generator, prepare, blend, verdict: its sections.
        name: what it is called in its page.
        about: a sentence or two for who reads its page.
        seed: everything random follows it.
        filters: judges of generated samples.
        classic: classic augmentation: ``tune``, ``none``, or transforms.
    """

    data: DataKeys
    generator: GeneratorKeys
    name: _Words = "recipe"
    about: _Words = ""
    seed: Annotated[int, _whole(0)] = 0
    prepare: PrepareKeys | None = None
    filters: Annotated[Any, _plugins] = ()
    classic: Annotated[Any, _classic] = "none"
    blend: BlendKeys = field(default_factory=BlendKeys)
    verdict: VerdictKeys = field(default_factory=VerdictKeys)


SECTIONS: dict[str, type[Any]] = {
    "data": DataKeys,
    "prepare": PrepareKeys,
    "generator": GeneratorKeys,
    "blend": BlendKeys,
    "verdict": VerdictKeys,
}


def known(section: type[Any]) -> list[str]:
    """The keys of a section."""
    return [one.name for one in fields(section)]


def required(section: type[Any]) -> list[str]:
    """Those of its keys that must be given."""
    return [one.name for one in fields(section) if one.default is MISSING and one.default_factory is MISSING]


def check_of(section: type[Any], key: str) -> Check:
    """What the value of a key must be."""
    hint = get_type_hints(section, include_extras=True)[key]
    hints = [hint, *get_args(hint)]  # of a value that may be left out, the check stands inside
    found: Check = next(one.__metadata__[0] for one in hints if hasattr(one, "__metadata__"))
    return found
