"""From the name of a library's transform to the transform."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from augsynth.errors import ConfigError


def transforms_of(library: ModuleType, given: Any) -> list[Any]:
    """What a user writes for one transform of ``library`` or several in a row, as a list of transforms.

    Args:
        library: the module that has the classes, such as ``torchvision.transforms.v2``.
        given: an object; the name of a class; a mapping with ``"name"`` and its arguments; or a list of these.

    Raises:
        ConfigError: no such transform, or not its arguments.
    """
    return [_made(library, one) for one in (given if isinstance(given, (list, tuple)) else [given])]


def _made(library: ModuleType, given: Any) -> Any:
    if callable(given) and not inspect.isclass(given):
        return given
    arguments: Mapping[str, Any] = {}
    name = given
    if isinstance(given, Mapping):
        arguments = {key: value for key, value in given.items() if key != "name"}
        name = given.get("name")
    cls = getattr(library, name, None) if isinstance(name, str) else None
    if cls is None:
        raise ConfigError(
            f"transforms: {given!r} is no transform; expected an object or name of {library.__name__}, or "
            "{'name': ..., arguments}"
        )
    try:
        return cls(**arguments)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"transforms: {name} with {dict(arguments)}: {error}") from error
