"""Find plugins through entry points, each loaded in a guard of its own.

pluggy's own entry-point loader stops at the first plugin that fails, skips the second of two equal entry-point
names without a word, and leaves the consumption of hooks to whoever calls them. Here every entry point is
imported, registered, checked and its specs consumed inside one guard; a failure is recorded and undone, and
the next one goes on.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points as installed_entry_points
from typing import Any

import pluggy

from augsynth import hooks
from augsynth._version import __version__
from augsynth.errors import BrokenPluginError
from augsynth.plugin_specs import SPEC_OF_HOOK, PluginSpec

FIRST_PARTY = "augsynth"
ONLY_VARIABLE = "AUGSYNTH_PLUGINS"
STRICT_VARIABLE = "AUGSYNTH_STRICT_PLUGINS"


@dataclass(frozen=True)
class Found:
    """One spec, and the distribution that declared it."""

    spec: PluginSpec
    distribution: str
    version: str

    @property
    def qualified(self) -> str:
        return f"{self.distribution}/{self.spec.name}"


@dataclass(frozen=True)
class Failure:
    """An entry point that was left out, and why."""

    entry_point: str
    distribution: str
    version: str
    error: str
    cause: BaseException | None = None


def normalised(distribution: str) -> str:
    """Distribution names compare equal across case, '-', '_' and '.' (PEP 503)."""
    return distribution.lower().replace("_", "-").replace(".", "-")


def discover(entry_points: Iterable[Any] | None = None) -> tuple[list[Found], list[Failure]]:
    """Load every plugin of the entry-point group.

    Args:
        entry_points: entry points with a ``dist``; None takes those installed that the environment admits.

    Raises:
        BrokenPluginError: a plugin failed and ``AUGSYNTH_STRICT_PLUGINS`` is set to 1.
    """
    if entry_points is None:
        entry_points = _admitted(installed_entry_points(group=hooks.ENTRY_POINT_GROUP))
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    found: list[Found] = []
    failures: list[Failure] = []
    for entry_point in _ordered(entry_points):
        distribution, version = _distribution(entry_point)
        registered_as = f"{distribution}/{entry_point.name}"
        try:
            _refuse_incompatible(entry_point)
            specs = _load(manager, entry_point, registered_as)
            _refuse_repeated(specs, [other.spec for other in found if other.distribution == distribution])
        # A plugin may fail in any way, SystemExit from its import included; none may take the others down.
        except (Exception, SystemExit) as error:
            if manager.has_plugin(registered_as):
                manager.unregister(name=registered_as)
            if os.environ.get(STRICT_VARIABLE) == "1":
                raise BrokenPluginError(
                    f"plugin {registered_as} {version} failed to load: {_told(error)} ({STRICT_VARIABLE}=1)"
                ) from error
            failures.append(Failure(entry_point.name, distribution, version, _told(error), error))
        else:
            found.extend(Found(spec, distribution, version) for spec in specs)
    return found, failures


def _admitted(entry_points: Iterable[Any]) -> list[Any]:
    """Those that ``AUGSYNTH_PLUGINS`` lets in: the first-party ones and the distributions it names."""
    only = os.environ.get(ONLY_VARIABLE)
    if only is None:
        return list(entry_points)
    allowed = {normalised(name.strip()) for name in only.split(",") if name.strip()} | {FIRST_PARTY}
    return [entry_point for entry_point in entry_points if _distribution(entry_point)[0] in allowed]


def _ordered(entry_points: Iterable[Any]) -> Iterator[Any]:
    """First-party first, then by distribution and name; the same entry point found twice on the path, once."""
    seen = set()
    keyed = [((name := _distribution(ep)[0]) != FIRST_PARTY, name, ep.name, ep.value, ep) for ep in entry_points]
    for *key, entry_point in sorted(keyed, key=lambda row: row[:4]):
        if tuple(key) not in seen:
            seen.add(tuple(key))
            yield entry_point


def _distribution(entry_point: Any) -> tuple[str, str]:
    dist = getattr(entry_point, "dist", None)
    if dist is None:
        return "unknown", "?"
    return normalised(dist.name), dist.version


def _refuse_incompatible(entry_point: Any) -> None:
    """A plugin's requirement on augsynth, in its own metadata, is its statement of compatibility."""
    requires = getattr(getattr(entry_point, "dist", None), "requires", None) or ()
    for text in requires:
        if not normalised(text).startswith(FIRST_PARTY):
            continue
        from packaging.requirements import Requirement

        requirement = Requirement(text)
        if normalised(requirement.name) != FIRST_PARTY:
            continue
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        if not requirement.specifier.contains(__version__, prereleases=True):
            name, version = _distribution(entry_point)
            raise BrokenPluginError(
                f"{name} {version} requires augsynth{requirement.specifier}, and augsynth {__version__} is installed"
            )


def _load(manager: pluggy.PluginManager, entry_point: Any, registered_as: str) -> list[PluginSpec]:
    plugin = entry_point.load()
    if plugin in manager.get_plugins():
        return []  # the same code under a second entry point
    manager.register(plugin, name=registered_as)
    manager.check_pending()  # a misspelled hook is found here rather than never
    callers = manager.get_hookcallers(plugin) or []
    if not callers:
        raise BrokenPluginError(
            f"{entry_point.value} implements no hook; decorate one of {sorted(SPEC_OF_HOOK)} with @augsynth.hookimpl"
        )
    specs: list[PluginSpec] = []
    for caller in callers:
        expected = SPEC_OF_HOOK[caller.name]
        for implementation in caller.get_hookimpls():
            if implementation.plugin is plugin:
                specs.extend(_consumed(implementation.function, caller.name, expected))
    _refuse_repeated(specs, [])
    return specs


def _consumed(hook: Any, hook_name: str, expected: type[PluginSpec]) -> Iterator[PluginSpec]:
    yielded = hook()
    if yielded is None or isinstance(yielded, (str, PluginSpec)) or not isinstance(yielded, Iterable):
        raise BrokenPluginError(f"hook {hook_name} returned {yielded!r}; it must yield {expected.__name__} objects")
    for spec in yielded:
        if not isinstance(spec, expected):
            raise BrokenPluginError(f"hook {hook_name} yielded {spec!r}; it must yield {expected.__name__} objects")
        yield spec


def _refuse_repeated(specs: list[PluginSpec], before: list[PluginSpec]) -> None:
    names = {(spec.kind, spec.name): spec for spec in before}
    for spec in specs:
        if names.setdefault((spec.kind, spec.name), spec).factory != spec.factory:
            raise BrokenPluginError(f"{spec.kind} {spec.name!r} is declared twice by one distribution")


def _told(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, BrokenPluginError) else f"{type(error).__name__}: {text}"
