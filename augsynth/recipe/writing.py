"""A recipe as the text that says it."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from typing import Any

import yaml

from augsynth.recipe.keys import Recipe


def recipe_yaml(recipe: Recipe) -> str:
    """YAML that :func:`augsynth.recipe.reading.recipe_of` reads as this recipe; defaults are left out."""
    text: str = yaml.safe_dump(_plain(recipe), sort_keys=False, allow_unicode=True, width=100)
    return text


def _plain(keys: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for one in fields(keys):
        value = getattr(keys, one.name)
        default = one.default_factory() if one.default_factory is not MISSING else one.default
        if value == default:
            continue
        if is_dataclass(value):
            made[one.name] = _plain(value)
        elif one.name in ("filters", "classic") and not isinstance(value, str):
            made[one.name] = [{name: given} if given else name for name, given in value]
        else:
            made[one.name] = value
    order = ("name", "about", "seed")  # what it is called stands above what it says
    return {key: made[key] for key in (*(k for k in order if k in made), *(k for k in made if k not in order))}
