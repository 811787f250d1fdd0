"""What a recipe compares: real data, with classic augmentation, with synthetic samples, and with both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from augsynth.recipe.keys import Recipe
from augsynth.registry import default_registry
from augsynth.utility.arms import BOTH, CLASSIC, REAL, SYNTHETIC, Arm, standard_arms


def arms_of(
    recipe: Recipe,
    base: Callable[[int], Any],
    generator: Callable[[int], Any],
    classic: Any,
    draw_of: Mapping[int, int],
) -> dict[str, Arm]:
    """Names → callables that take a seed of :func:`augsynth.uplift` and return the dataset to train on: those of
    :func:`augsynth.standard_arms`, of the draw of the seed.

    Args:
        base: draw → the real training set.
        generator: draw → the generator fitted on it.
        classic: a transform, a list, an object with ``resample``, or None.
        draw_of: seed → draw.
    """
    made = "variations" if recipe.blend.mode == "vary" else "samples"
    options = _options(recipe)
    filters: dict[int, list[Any]] = {}

    def arm(seed: int, standard: str) -> Any:
        draw = draw_of[seed]
        real = base(draw)
        if standard in (SYNTHETIC, BOTH) and draw not in filters:
            gen = generator(draw)
            filters[draw] = [create_filter(name, real, gen, given) for name, given in recipe.filters]
        arms = standard_arms(
            real,
            lambda _: generator(draw),
            ratio=recipe.blend.ratio,
            classic=classic,
            filters=filters.get(draw, ()),
            **options,
        )
        return arms[standard](seed)

    names = {REAL: REAL, SYNTHETIC: f"{REAL} + {made}"}
    if classic is not None:
        names = {REAL: REAL, CLASSIC: CLASSIC, **names, BOTH: f"{CLASSIC} + {made}"}
    return {name: partial(arm, standard=standard) for standard, name in names.items()}


def create_filter(name: str, real: Any, gen: Any, given: Mapping[str, Any]) -> Any:
    """The filter of a recipe, with the real data and the generator for those that judge by them."""
    registry = default_registry()
    takes = registry.parameters("filter", name)
    known = {key: value for key, value in (("real", real), ("gen", gen)) if key in takes}
    return registry.create("filter", name, **known, **given)


def _options(recipe: Recipe) -> dict[str, Any]:
    blend = recipe.blend
    made: dict[str, Any] = {"mode": blend.mode, "condition": blend.condition}
    for name in ("strength", "variations", "temperature"):
        if (value := getattr(blend, name)) is not None:
            made[name] = value
    return made | {name: own for name in ("sample_options", "vary_options") if (own := getattr(blend, name))}
