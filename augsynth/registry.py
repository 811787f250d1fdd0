"""Look plugins up by name and make them."""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from augsynth._discovery import FIRST_PARTY, Failure, Found, discover, normalised
from augsynth.errors import (
    AmbiguousPluginError,
    BrokenPluginError,
    ConfigError,
    MissingDependencyError,
    PluginError,
    PluginNotFoundError,
    PluginWarning,
)
from augsynth.plugin_specs import KINDS

DISTRIBUTION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\Z")
"""What a distribution may be called; anything else is not repeated as advice to install it."""


@dataclass(frozen=True)
class PluginInfo:
    """One line of a plugin listing.

    ``error`` is None for a usable plugin. For one that was left out, ``name`` is that of its entry point,
    ``kind`` and ``modality`` are empty, and ``error`` says why.
    """

    name: str
    kind: str
    modality: str
    summary: str
    distribution: str
    version: str
    error: str | None = None

    @property
    def qualified(self) -> str:
        """``distribution/name``, which always resolves."""
        return f"{self.distribution}/{self.name}"


class Registry:
    """The plugins of one set of entry points; found at first use, never changed afterwards.

    Args:
        entry_points: objects with ``name``, ``value``, ``load()`` and ``dist``, as of
            :func:`importlib.metadata.entry_points`; None takes those installed. Tests pass their own, so there is
            no global manager to mutate.
    """

    def __init__(self, entry_points: Iterable[Any] | None = None) -> None:
        self._entry_points = None if entry_points is None else list(entry_points)
        self._modalities: dict[str, Any] = {}

    @cached_property
    def _discovered(self) -> tuple[list[Found], list[Failure]]:
        found, failures = discover(self._entry_points)
        for failure in failures:
            warnings.warn(
                f"plugin {failure.distribution}/{failure.entry_point} {failure.version} was left out: {failure.error}",
                PluginWarning,
                stacklevel=2,
            )
        return found, failures

    def plugins(self) -> list[PluginInfo]:
        """All plugins, usable and broken, sorted by kind and name; imports no model code."""
        found, failures = self._discovered
        usable = [
            PluginInfo(one.spec.name, one.spec.kind, one.spec.modality, one.spec.summary, one.distribution, one.version)
            for one in found
        ]
        broken = [
            PluginInfo(failure.entry_point, "", "", "", failure.distribution, failure.version, failure.error)
            for failure in failures
        ]
        return sorted(usable, key=lambda info: (KINDS.index(info.kind), info.name, info.distribution)) + broken

    def create(self, kind: str, name: str, **config: Any) -> Any:
        """Import the factory of a plugin and call it with ``config``.

        Args:
            kind: ``"generator"``, ``"transform"``, ``"filter"``, ``"metric"``, ``"callback"`` or ``"modality"``.
            name: short name if it is unique, else ``"distribution/name"``.

        Raises:
            PluginNotFoundError: no such plugin; the message has the nearest names and what failed to load.
            AmbiguousPluginError: several distributions offer it; the message lists the qualified names.
            MissingDependencyError: the plugin needs a package that is not installed; names the extra.
            BrokenPluginError: its factory cannot be imported.
            ConfigError: it does not take these arguments; lists those that it takes.
        """
        found = self._resolve(kind, name)
        factory = self._factory(found)
        _check_arguments(factory, config, f"{kind} {found.spec.name!r}")
        product = factory(**config)
        if kind == "generator":
            product.plugin, product.plugin_version = found.qualified, found.version
            product.modality = found.spec.modality
        elif kind == "modality":
            product.qualified = found.qualified
        return product

    def modality(self, name: str) -> Any:
        """The modality of that name, made once. Raises as :meth:`create`."""
        qualified = self.qualified_name("modality", name)
        if qualified not in self._modalities:
            self._modalities[qualified] = self.create("modality", qualified)
        return self._modalities[qualified]

    def modalities(self) -> tuple[list[Any], dict[str, PluginError | MissingDependencyError]]:
        """All modalities, and why the others cannot be used, by qualified name."""
        usable, failed = [], {}
        for name in sorted({one.qualified for one in self._discovered[0] if one.spec.kind == "modality"}):
            try:
                usable.append(self.modality(name))
            except (PluginError, MissingDependencyError) as error:
                failed[name] = error
        return usable, failed

    def spec(self, kind: str, name: str) -> Any:
        """What the plugin says about itself. Raises as :meth:`create`."""
        return self._resolve(kind, name).spec

    def qualified_name(self, kind: str, name: str) -> str:
        """The ``distribution/name`` that ``name`` stands for. Raises as :meth:`create`."""
        return self._resolve(kind, name).qualified

    def parameters(self, kind: str, name: str) -> list[str]:
        """Names of the arguments that a plugin's factory takes. Raises as :meth:`create`."""
        return list(inspect.signature(self._factory(self._resolve(kind, name))).parameters)

    def _resolve(self, kind: str, name: str) -> Found:
        if kind not in KINDS:
            raise ConfigError(f"plugin kind {kind!r}: expected one of {', '.join(KINDS)}")
        found, failures = self._discovered
        of_kind = [one for one in found if one.spec.kind == kind]
        distribution, _, short = str(name).rpartition("/")
        matches = [
            one
            for one in of_kind
            if one.spec.name == short and (not distribution or one.distribution == normalised(distribution))
        ]
        distinct = {(one.spec.factory, one.spec.name): one for one in reversed(matches)}  # same code, no conflict
        if len(distinct) == 1:
            return next(iter(distinct.values()))
        if distinct:
            options = ", ".join(sorted(one.qualified for one in distinct.values()))
            raise AmbiguousPluginError(f"{kind} {name!r} is offered by several distributions; write one of: {options}")
        raise PluginNotFoundError(_not_found(kind, str(name), of_kind, failures))

    @staticmethod
    def _factory(found: Found) -> Any:
        module, _, attribute = found.spec.factory.partition(":")
        try:
            factory: Any = importlib.import_module(module)
            for part in attribute.split("."):
                factory = getattr(factory, part)
        except ModuleNotFoundError as error:
            own = (error.name or "").split(".")[0] == module.split(".")[0]
            if found.spec.extra and not own:
                raise MissingDependencyError(
                    f"plugin {found.qualified} needs {error.name}, which is not installed. Install it with: "
                    f"pip install '{found.distribution}[{found.spec.extra}]'",
                    name=error.name,
                ) from error
            raise BrokenPluginError(
                f"plugin {found.qualified} {found.version}: cannot import {module}: {error}"
            ) from error
        except AttributeError as error:
            raise BrokenPluginError(
                f"plugin {found.qualified} {found.version} declares the factory {found.spec.factory!r}, "
                f"but {module} has no {attribute!r}"
            ) from error
        return factory


def _check_arguments(factory: Any, config: Mapping[str, Any], title: str) -> None:
    """Raise a ConfigError where ``factory`` cannot be called so."""
    try:
        signature = inspect.signature(factory)
    except (TypeError, ValueError):  # it does not tell
        return
    try:
        signature.bind(**config)
    except TypeError as error:
        taken = ", ".join(signature.parameters) or "nothing"
        raise ConfigError(f"{title}: {error}; it takes: {taken}") from None


def _not_found(kind: str, name: str, of_kind: list[Found], failures: list[Failure]) -> str:
    names = sorted({one.spec.name for one in of_kind})
    distribution, _, short = name.rpartition("/")
    parts = [f"no {kind} named {name!r} is installed"]
    near = difflib.get_close_matches(short, names, n=3)
    if near:
        parts.append(f"did you mean {' or '.join(repr(one) for one in near)}?")
    parts.append(f"there are: {', '.join(names) or 'none'}")
    if DISTRIBUTION.match(distribution) and normalised(distribution) != FIRST_PARTY:
        parts.append(f"it is part of the distribution {distribution!r}: pip install {distribution}")
    relevant = [
        failure
        for failure in failures
        if short in (failure.entry_point, failure.distribution)
        or normalised(distribution) == failure.distribution
        or difflib.get_close_matches(short, [failure.entry_point, failure.distribution])
    ] or failures
    parts += [
        f"left out: {failure.distribution}/{failure.entry_point} {failure.version} ({failure.error})"
        for failure in relevant
    ]
    return "; ".join(parts)


@lru_cache(maxsize=1)
def default_registry() -> Registry:
    """The registry of the installed plugins."""
    return Registry()


def plugins() -> list[PluginInfo]:
    """List the installed plugins, usable and broken, without importing any model code."""
    return default_registry().plugins()


def create(kind: str, name: str, **config: Any) -> Any:
    """Make the plugin ``name`` of ``kind`` with ``config``; see :meth:`Registry.create`.

    Example:
        >>> augsynth.create("transform", "pillow", sharpen=2.0)
    """
    return default_registry().create(kind, name, **config)
