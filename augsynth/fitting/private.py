"""A private fit: the generator learns noisy statistics once, or noisy gradients, and nothing else of the data is within
its reach."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from augsynth._names import name_of
from augsynth.checkpoint.format import load_description
from augsynth.errors import CheckpointError, ConfigError, DataError, PrivacyWarning
from augsynth.fitting.installed import installed_generators
from augsynth.fitting.training_data import NoData, TrainingData
from augsynth.generator.generator import Generator
from augsynth.loading import stored_spec
from augsynth.privacy.budget import Privacy
from augsynth.privacy.gaussian import ACCOUNTANT, Mechanism
from augsynth.privacy.sgd import accountant, max_grad_norm, noise_multiplier_for, opacus
from augsynth.privacy.statement import statement

FINGERPRINT = "private"
"""In place of a hash of the data, by which a guess at all of it could be confirmed."""


def reads_once(made: Generator) -> bool:
    """Whether the generator reads its data through a mechanism."""
    return _overrides(type(made), "release")


def by_steps(made: Generator) -> bool:
    """Whether the generator can be fitted by DP-SGD."""
    cls = type(made)
    return _overrides(cls, "sample_losses") and not _overrides(cls, "release") and not _overrides(cls, "learn")


def offered(made: Generator) -> bool:
    """Whether the generator can be fitted with ``privacy=``."""
    return reads_once(made) or by_steps(made)


def nothing_of(data: TrainingData, spec: Any) -> TrainingData:
    """What stands for the data where a private fit may not look at them."""
    classes = None if data.classes is None else data.classes[:0]
    return NoData(spec, data.raw[:0], classes, FINGERPRINT)


def check(made: Generator, privacy: Any, data: TrainingData, **unusable: Any) -> None:
    """Refuse what would read the data outside of the mechanism.

    Args:
        unusable: arguments of the fit that cannot be had with privacy, where they were given.

    Raises:
        ConfigError: the generator cannot be fitted so, or an argument reads the data.
        DataError: the spec was read off the values.
    """
    if not isinstance(privacy, Privacy):
        raise ConfigError(f"privacy={privacy!r}: expected augsynth.Privacy(epsilon=..., delta=...)")
    name = name_of(made)
    if not offered(made):
        raise ConfigError(
            f"{name} cannot be fitted with privacy: its fit reads the samples as they are. These can: "
            f"{installed_generators(lambda one: one.private)}"
        )
    given = [key for key, value in unusable.items() if value is not None]
    if given:
        raise ConfigError(f"{', '.join(given)}: reads the data outside of the privacy budget; leave it out")
    if by_steps(made):
        opacus()
    else:
        _check_read_once(made, privacy, name)
    if (what := data.spec.public_form().read_off()) is not None:
        raise DataError(f"{what}: that tells of single samples, and no budget covers it")
    privacy.check_for(len(data))
    most = max(Counter(data.digests()).values())
    if most > privacy.max_contributions:
        warnings.warn(
            f"a sample occurs {most} times in the data: if those are of one person, or if others have several, the "
            f"promise, for {privacy.max_contributions} each, does not hold for them. Leave out all but one of each "
            "(augsynth.prepare), or raise max_contributions",
            PrivacyWarning,
            stacklevel=4,
        )


def _check_read_once(made: Generator, privacy: Privacy, name: str) -> None:
    if (privacy.max_grad_norm, privacy.clipping) != (None, "flat"):
        raise ConfigError(
            f"max_grad_norm={privacy.max_grad_norm!r}, clipping={privacy.clipping!r} are for generators fitted by "
            f"gradient steps; {name} reads its data once and clips nothing. Leave them out"
        )
    overridden = [one for one in ("settings_from", "finish") if _overrides(type(made), one)]
    if overridden:
        raise ConfigError(
            f"{name} reads the samples in {', '.join(overridden)}() as well: that is outside of the budget"
        )


def public(spec: Any) -> Any:
    """The spec without what was read off the samples, and without counts: every class as frequent."""
    spec = spec.public_form()
    labels = spec.labels
    return spec if labels is None else spec.with_labels(replace(labels, counts=(1,) * len(labels.counts)))


def read_once(made: Generator, data: TrainingData, privacy: Privacy | None, resumed: Path | None) -> TrainingData:
    """Let the generator read the data through the mechanism, and state what is guaranteed, if anything is.

    Args:
        resumed: the checkpoint that a fit goes on from: what was read then is in it; reading again would cost again.

    Returns:
        What the loop goes on with: the data, or, of a private fit, none.
    """
    if privacy is None:
        with torch.no_grad():
            made.release(data, Mechanism(None, data.classes, data.spec.num_classes))
        return data
    if resumed is not None:
        description = load_description(resumed)
        stated = description["fit"].get("privacy") or {}
        if _budget(stated) != (privacy.epsilon, privacy.delta, privacy.max_contributions):
            raise CheckpointError(f"{resumed} has another budget than {privacy}; resume with its own, or fit anew")
        made.spec = stored_spec(resumed, description["spec"])
    else:
        mechanism = Mechanism(privacy, data.classes, data.spec.num_classes)
        with torch.no_grad():
            made.release(data, mechanism)
        if mechanism.counts is not None:
            counts = tuple(round(float(one)) for one in mechanism.counts)
            made.spec = made.spec.with_labels(replace(made.spec.labels, counts=counts))
        stated = statement(
            privacy,
            accountant=ACCOUNTANT,
            noise_multiplier=mechanism.noise_multiplier,
            released=mechanism.released,
        )
    made.fit_info["privacy"] = stated
    return nothing_of(data, made.spec)


def stated_steps(made: Generator, n: int, privacy: Privacy, steps: int, batch_size: int, resumed: Path | None) -> float:
    """State what a fit by gradient steps guarantees; the noise that it takes.

    Raises:
        CheckpointError: the fit that is to go on had another budget, or other steps.
    """
    rate = batch_size / n
    multiplier = noise_multiplier_for(privacy, rate, steps)
    norm = max_grad_norm(privacy)
    stated = statement(
        privacy,
        accountant=accountant(),
        noise_multiplier=multiplier,
        released=[f"{steps:,} sums of gradients, clipped to {norm:g} each ({privacy.clipping})"],
        steps=steps,
        sample_rate=round(rate, 9),
        max_grad_norm=norm,
    )
    if resumed is not None:
        before = load_description(resumed)["fit"].get("privacy") or {}
        differs = [key for key, value in stated.items() if before.get(key) != value]
        if differs:
            raise CheckpointError(
                f"{resumed} was fitted with other {', '.join(differs)} "
                f"({', '.join(repr(before.get(key)) for key in differs)}, now "
                f"{', '.join(repr(stated[key]) for key in differs)}); resume with its own, or fit anew"
            )
    made.fit_info["privacy"] = stated
    return multiplier


def _budget(stated: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(stated.get(key) for key in ("epsilon", "delta", "max_contributions"))


def _overrides(cls: type[Generator], name: str) -> bool:
    """Whether a class has a method of its own in place of the default."""
    own, default = getattr(cls, name), getattr(Generator, name)
    return bool(getattr(own, "__func__", own) is not getattr(default, "__func__", default))
