"""What a recipe compares: real data, with classic augmentation, with synthetic samples, and with both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from augsynth.blending.dataset import SyntheticDataset
from augsynth.recipe.keys import Recipe
from augsynth.registry import default_registry
from augsynth.utility.arms import Arm, with_classic

REAL = "real"


def arms_of(
    recipe: Recipe,
    base: Callable[[int], Any],
    generator: Callable[[int], Any],
    classic: Any,
    draw_of: Mapping[int, int],
) -> dict[str, Arm]:
    """Names → callables that take a seed of :func:`augsynth.uplift` and return the dataset to train on.

    Args:
        base: draw → the real training set.
        generator: draw → the generator fitted on it.
        classic: a transform, a list, an object with ``resample``, or None.
        draw_of: seed → draw.
    """
    made = "variations" if recipe.blend.mode == "vary" else "samples"
    options = _options(recipe)
    filters: dict[int, list[Any]] = {}

    def real(seed: int) -> Any:
        return base(draw_of[seed])

    def augmented(seed: int) -> Any:
        return with_classic(base(draw_of[seed]), classic, seed)

    def blended(seed: int, transform: Any) -> Any:
        draw = draw_of[seed]
        own = base(draw)
        if draw not in filters:
            filters[draw] = [create_filter(name, own, given) for name, given in recipe.filters]
        if hasattr(transform, "resample"):
            own, transform = transform.resample(own, seed), None
        return SyntheticDataset(
            own,
            generator(draw),
            ratio=recipe.blend.ratio,
            transform=transform,
            filters=filters[draw],
            seed=seed,
            progress=False,
            **options,
        )

    arms: dict[str, Arm] = {REAL: real}
    if classic is not None:
        arms[f"{REAL} + classic"] = augmented
    arms[f"{REAL} + {made}"] = lambda seed: blended(seed, None)
    if classic is not None:
        arms[f"{REAL} + classic + {made}"] = lambda seed: blended(seed, classic)
    return arms


def create_filter(name: str, real: Any, given: Mapping[str, Any]) -> Any:
    """The filter of a recipe, with the real data for those that judge by it."""
    registry = default_registry()
    own = {"real": real} if "real" in registry.parameters("filter", name) else {}
    return registry.create("filter", name, **own, **given)


def _options(recipe: Recipe) -> dict[str, Any]:
    blend = recipe.blend
    made: dict[str, Any] = {"mode": blend.mode, "condition": blend.condition}
    for name in ("strength", "temperature"):
        if (value := getattr(blend, name)) is not None:
            made[name] = value
    return made | {name: own for name in ("sample_options", "vary_options") if (own := getattr(blend, name))}
