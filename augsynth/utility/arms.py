"""The arms of a comparison: what each seed trains on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from augsynth.blending.dataset import SyntheticDataset
from augsynth.blending.ratio import Ratio
from augsynth.errors import ConfigError
from augsynth.generator.generator import Generator

Arm = Callable[[int], Any]

REAL, CLASSIC, SYNTHETIC, BOTH = "real", "real + classic", "real + synthetic", "real + classic + synthetic"


def standard_arms(real: Any, gen: Any, *, ratio: Ratio = 0.3, classic: Any = None, **options: Any) -> dict[str, Arm]:
    """Real data alone, with classic augmentation, with synthetic samples, and with both.

    Args:
        real: the training set.
        gen: a fitted generator or another source, or a callable ``seed`` → such.
        ratio: as of :class:`SyntheticDataset`.
        classic: a transform or a list of them, or an object with ``resample(dataset, seed)``; without one, there are
            two arms.
        options: further ones of :class:`SyntheticDataset`: ``mode``, ``condition``, ``filters``, ``temperature``, ...

    Returns:
        Names → callables that take a seed and return the dataset to train on.
    """

    def blended(seed: int, share: Any, transform: Any) -> Any:
        if share == 0 and transform is None:
            return real
        if share == 0:
            return with_classic(real, transform, seed)
        source = gen(seed) if callable(gen) and not isinstance(gen, Generator) else gen
        base = real
        if hasattr(transform, "resample"):
            base, transform = transform.resample(real, seed), None
        return SyntheticDataset(base, source, ratio=share, transform=transform, seed=seed, progress=False, **options)

    arms: dict[str, Arm] = {REAL: partial(blended, share=0, transform=None)}
    if classic is not None:
        arms[CLASSIC] = partial(blended, share=0, transform=classic)
    arms[SYNTHETIC] = partial(blended, share=ratio, transform=None)
    if classic is not None:
        arms[BOTH] = partial(blended, share=ratio, transform=classic)
    return arms


def with_classic(real: Any, classic: Any, seed: int) -> Any:
    """``real`` with classic augmentation: a transform or several, or what resamples a whole dataset."""
    if hasattr(classic, "resample"):
        return classic.resample(real, seed)
    return SyntheticDataset(real, None, ratio=0.0, transform=classic, seed=seed, progress=False)


def checked_arms(arms: Any) -> dict[str, Arm]:
    """Every arm as a callable of the seed.

    Raises:
        ConfigError: fewer than two, or an arm that is neither a dataset nor callable.
    """
    if not isinstance(arms, Mapping) or len(arms) < 2:
        raise ConfigError(
            f"arms={arms!r}: expected a fitted generator, or a mapping of two or more names → dataset, or callable "
            "seed → dataset"
        )
    made: dict[str, Arm] = {}
    for name, arm in arms.items():
        if isinstance(arm, Generator):
            raise ConfigError(
                f"arm {name!r} is a generator: expected what is trained on, such as SyntheticDataset(real, gen, ...)"
            )
        if hasattr(arm, "__getitem__") and hasattr(arm, "__len__"):
            made[str(name)] = partial(_same, arm)
        elif callable(arm):
            made[str(name)] = arm
        else:
            raise ConfigError(f"arm {name!r} is of type {type(arm).__name__}: expected a dataset or seed → dataset")
    return made


def _same(dataset: Any, seed: int) -> Any:
    return dataset
