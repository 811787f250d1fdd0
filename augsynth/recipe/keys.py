"""What a recipe may say: its sections and their keys, with what each value must be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

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


def _classic(value: Any) -> Any:
    if value in ("tune", "none", None):
        return value or "none"
    return _plugins(value)


def _says(check: Check, told: str) -> dict[str, Any]:
    """What a value must be, and what the key is for."""
    return {"check": check, "told": told}


_FOUND = _one_of("keep", "drop", "skip")


@dataclass(frozen=True)
class DataKeys:
    """Which data, and how much of it."""

    train: str = field(metadata=_says(_words, "as --data of every command"))
    test: str | None = field(
        default=None, metadata=_says(_words, "data to score on; else the test split of train, or holdout")
    )
    holdout: float | None = field(
        default=None, metadata=_says(_share, "share of train to score on, where there is no test split")
    )
    options: dict[str, Any] = field(default_factory=dict, metadata=_says(_named, "of reading the data"))
    per_class: int | None = field(
        default=None, metadata=_says(_whole(2), "training samples of each class, drawn at random")
    )
    long_tail: dict[str, Any] | None = field(
        default=None, metadata=_says(_named, "{most: 100, least: 4}: classes from frequent to rare")
    )
    sampling: str = field(
        default="natural",
        metadata=_says(_one_of("natural", "balanced"), "balanced: each class as often as the largest"),
    )


@dataclass(frozen=True)
class PrepareKeys:
    """What becomes of what is found in the training data first: kept and listed, dropped, or not looked for."""

    duplicates: str = field(default="drop", metadata=_says(_FOUND, "exact and near duplicates"))
    leaks: str = field(default="drop", metadata=_says(_FOUND, "training samples that are in the test data, too"))
    labels: str = field(default="keep", metadata=_says(_FOUND, "samples whose label is doubted"))
    outliers: str = field(default="keep", metadata=_says(_FOUND, "samples unlike all others"))


@dataclass(frozen=True)
class GeneratorKeys:
    """What is fitted."""

    name: str = field(metadata=_says(_words, "as listed by augsynth plugins"))
    steps: int | None = field(default=None, metadata=_says(_whole(1), "updates; else what suits the amount of data"))
    max_time: Any = field(
        default=None, metadata=_says(_either(_words, _number), "stop after this time, such as 5m; figures then vary")
    )
    topics: int | None = field(default=None, metadata=_says(_whole(2), "find so many topics, and fit by them, too"))
    settings: dict[str, Any] = field(default_factory=dict, metadata=_says(_named, "of the generator"))


@dataclass(frozen=True)
class BlendKeys:
    """How its samples are mixed in."""

    ratio: Any = field(default=0.3, metadata=_says(_either(_share, _ratios), "synthetic share, or one for each class"))
    mode: str = field(default="replace", metadata=_says(_one_of("replace", "append", "vary"), "as of SyntheticDataset"))
    condition: Any = field(default="match", metadata=_says(_either(_words, _named), "as of SyntheticDataset"))
    strength: float | None = field(default=None, metadata=_says(_number, "of variation"))
    temperature: float | None = field(default=None, metadata=_says(_number, "of sampling"))
    sample_options: dict[str, Any] = field(default_factory=dict, metadata=_says(_named, "of the generator"))
    vary_options: dict[str, Any] = field(default_factory=dict, metadata=_says(_named, "of the generator"))


@dataclass(frozen=True)
class VerdictKeys:
    """How it is judged."""

    evaluate: bool = field(default=True, metadata=_says(_flag, "realistic, varied, rightly labelled, no copies?"))
    uplift: bool = field(default=True, metadata=_says(_flag, "does training gain?"))
    seeds: int = field(default=5, metadata=_says(_whole(2), "trainings of each arm"))
    draws: str = field(
        default="one",
        metadata=_says(_one_of("one", "each"), "each: a training set and a generator of its own for each seed"),
    )
    steps: int | None = field(default=None, metadata=_says(_whole(1), "updates of each training"))
    metric: str = field(
        default="accuracy", metadata=_says(_one_of("accuracy", "balanced_accuracy"), "what is compared")
    )


@dataclass(frozen=True)
class Recipe:
    """A recipe as it is run."""

    data: DataKeys
    generator: GeneratorKeys
    name: str = field(default="recipe", metadata=_says(_words, "what it is called in its page"))
    about: str = field(default="", metadata=_says(_words, "a sentence or two for who reads its page"))
    seed: int = field(default=0, metadata=_says(_whole(0), "everything random follows it"))
    prepare: PrepareKeys | None = None
    filters: Any = field(default=(), metadata=_says(_plugins, "judges of generated samples"))
    classic: Any = field(default="none", metadata=_says(_classic, "classic augmentation: tune, none, or transforms"))
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
    found: Check = next(one for one in fields(section) if one.name == key).metadata["check"]
    return found
