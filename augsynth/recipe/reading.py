"""Read a recipe, with errors that name the line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from augsynth._names import did_you_mean
from augsynth.errors import ConfigError
from augsynth.recipe.keys import SECTIONS, BlendKeys, Recipe, check_of, known, required

_LARGEST = 1_000_000  # bytes; aliases could make more of less, and are refused


class Source:
    """A YAML text with the line of each key.

    Args:
        text: YAML: mappings, lists, plain values; no aliases and no tags of Python.
        name: for messages.
    """

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.lines: dict[tuple[str, ...], int] = {}
        if len(text) > _LARGEST:
            raise ConfigError(f"{name} has {len(text):,} characters: no recipe is that long")
        try:
            if any(isinstance(token, (yaml.AliasToken, yaml.TagToken)) for token in yaml.scan(text)):
                raise ConfigError(f"{name}: aliases (*) and tags (!) are not read in recipes; write values out")
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
            raise ConfigError(f"{name}{line}: {error.problem or 'it'} is no YAML") from error
        except (yaml.YAMLError, RecursionError) as error:
            raise ConfigError(f"{name} is no YAML: {error}") from error
        self.value = {} if node is None else self._made(node, ())

    def at(self, *path: str) -> str:
        """``recipe.yaml, line 7``."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.name}, line {self.lines[path]}" if path else self.name

    def _made(self, node: yaml.Node, path: tuple[str, ...]) -> Any:
        if isinstance(node, yaml.MappingNode):
            made: dict[Any, Any] = {}
            for key_node, value_node in node.value:
                key = self._made(key_node, path)
                if not isinstance(key, (str, int, float, bool)) and key is not None:
                    raise ConfigError(f"{self.name}, line {key_node.start_mark.line + 1}: a key must be plain")
                own = (*path, str(key))
                if key in made:
                    raise ConfigError(
                        f"{self.name}, line {key_node.start_mark.line + 1}: {'.'.join(own)} is there twice; the first "
                        f"is on line {self.lines[own]}"
                    )
                self.lines[own] = key_node.start_mark.line + 1
                made[key] = self._made(value_node, own)
            return made
        if isinstance(node, yaml.SequenceNode):
            return [self._made(one, path) for one in node.value]
        try:
            return yaml.SafeLoader("").construct_object(node)
        except (yaml.YAMLError, ValueError) as error:  # such as a day that there is not
            raise ConfigError(f"{self.name}, line {node.start_mark.line + 1}: {node.value!r} cannot be read") from error


def read_recipe(path: str | Path) -> Recipe:
    """The recipe in a file.

    Raises:
        ConfigError: there is no such file, or what it says cannot be used; names the line.
    """
    return recipe_of(read_text(path), str(path))


def read_text(path: str | Path) -> str:
    """The text of a recipe's file. Raises ConfigError where there is none."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def recipe_of(text: str, name: str = "recipe") -> Recipe:
    """The recipe that a text says. Raises as :func:`read_recipe`."""
    source = Source(text, name)
    if not isinstance(source.value, Mapping):
        raise ConfigError(f"{name}: expected sections, such as data: and generator:; got {source.value!r}")
    given = _checked(source, Recipe, source.value, ())
    for section, keys in SECTIONS.items():
        if section in source.value:
            given[section] = keys(**_section(source, section, source.value[section], keys))
    recipe = Recipe(**given)
    _refuse_contradictions(source, recipe)
    return recipe


def _section(source: Source, section: str, value: Any, keys: type[Any]) -> dict[str, Any]:
    value = {} if value is None else value
    if not isinstance(value, Mapping):
        raise ConfigError(
            f"{source.at(section)}: {section}: expected its keys ({', '.join(known(keys))}), got {value!r}"
        )
    return _checked(source, keys, value, (section,))


def _checked(source: Source, keys: type[Any], value: Mapping[Any, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """The checked values of a mapping, less those that are sections."""
    where = ".".join(path) or "a recipe"
    made = {}
    for key, one in value.items():
        if key not in known(keys):
            hint = did_you_mean(str(key), known(keys), cutoff=0.5)
            raise ConfigError(
                f"{source.at(*path, str(key))}: {where} has no key {str(key)!r}{f'; {hint}' if hint else '.'} It has: "
                f"{', '.join(known(keys))}"
            )
        if not path and key in SECTIONS:
            continue
        try:
            made[str(key)] = check_of(keys, key)(one)
        except ValueError as error:
            raise ConfigError(
                f"{source.at(*path, key)}: {'.'.join((*path, key))}: expected {error}, got {one!r}"
            ) from error
    if missing := [key for key in required(keys) if key not in value]:
        raise ConfigError(f"{source.at(*path)}: {where} needs {', '.join(map(repr, missing))}")
    return made


def _refuse_contradictions(source: Source, recipe: Recipe) -> None:
    data, blend, verdict = recipe.data, recipe.blend, recipe.verdict
    for first, second, told in (
        (("data", "test"), ("data", "holdout"), "a test set and a share held out for one"),
        (("data", "per_class"), ("data", "long_tail"), "two ways to draw the training set"),
    ):
        if getattr(data, first[1]) is not None and getattr(data, second[1]) is not None:
            raise ConfigError(f"{source.at(*second)}: {'.'.join(first)} and {'.'.join(second)} are {told}; give one")
    if data.long_tail is not None:
        _check_tail(source, data.long_tail)
    for key in ("strength", "variations", "vary_options"):
        if blend.mode != "vary" and getattr(blend, key) != getattr(BlendKeys(), key):
            raise ConfigError(f"{source.at('blend', key)}: blend.{key} is of mode: vary, and the mode is {blend.mode}")
    if verdict.draws == "each" and data.per_class is None and data.long_tail is None:
        raise ConfigError(f"{source.at('verdict', 'draws')}: draws: each needs data.per_class or data.long_tail")
    if not verdict.evaluate and not verdict.uplift:
        raise ConfigError(f"{source.at('verdict')}: evaluate and uplift are both false: there is nothing to find out")


def _check_tail(source: Source, tail: Mapping[str, Any]) -> None:
    where = source.at("data", "long_tail")
    if set(tail) != {"most", "least"}:
        raise ConfigError(f"{where}: data.long_tail: expected {{most: ..., least: ...}}, got {dict(tail)!r}")
    whole = all(isinstance(one, int) and not isinstance(one, bool) for one in tail.values())
    if not whole or not 2 <= tail["least"] < tail["most"]:
        raise ConfigError(f"{where}: data.long_tail: expected whole numbers, 2 ≤ least < most, got {dict(tail)!r}")
