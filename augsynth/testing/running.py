"""Run the suite on one plugin, and say of every check what came of it."""

from __future__ import annotations

import inspect
import unittest
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from augsynth.errors import AugsynthWarning, ConfigError
from augsynth.testing.kinds import Configured
from augsynth.testing.suite import Check, checks

PASSED, FAILED, EXPECTED, NOT_APPLICABLE = "passed", "failed", "expected failure", "not applicable"


@dataclass(frozen=True)
class Outcome:
    """What came of one check.

    Attributes:
        check: its name.
        promise: what it checks, in words.
        status: ``"passed"``, ``"failed"``, ``"expected failure"`` or ``"not applicable"``.
        told: which promise is broken, or why the check does not apply; empty where it passed.
    """

    check: str
    promise: str
    status: str
    told: str = ""


def run_checks(
    kind: str, plugin: Any, *, expected: Mapping[str, str] | None = None, settings: Mapping[str, Any] | None = None
) -> list[Outcome]:
    """All checks for a kind of plugin, on one of them; none ends the others.

    Args:
        kind: as of :func:`checks`.
        plugin: name of an installed plugin, or a class or factory; of filters and metrics also the callable itself, of
            sources the fitted object.
        expected: name of a check → why it is known to fail. Strict: one that passes all the same counts as failed, so
            that the list does not outlive its reasons.
        settings: what the plugin is made with, where its defaults will not do.

    Raises:
        ConfigError: there are no checks for this kind, or ``expected`` names one that there is not.
    """
    known = _known(kind, expected)
    plugin = Configured(plugin, settings) if settings else plugin
    return [_outcome(check, plugin, known.get(check.__name__)) for check in checks(kind)]


def parametrize_with_checks(
    kind: str, plugin: Any, *, expected: Mapping[str, str] | None = None, settings: Mapping[str, Any] | None = None
) -> Callable[..., Any]:
    """A decorator that makes a test of every check; what does not apply is skipped with its reason.

    ::

        @parametrize_with_checks("generator", "my-distribution/my-generator")
        def test_my_generator(check):
            check()

    Args:
        kind, plugin, expected, settings: as of :func:`run_checks`; an expected failure is a strict ``xfail``.

    Raises:
        ConfigError: as of :func:`run_checks`.
    """
    import pytest

    known = _known(kind, expected)
    plugin = Configured(plugin, settings) if settings else plugin

    def case(check: Check) -> Any:
        name = check.__name__
        marks = [pytest.mark.xfail(strict=True, reason=known[name])] if name in known else []
        return pytest.param(partial(check, plugin), id=name, marks=marks)

    return pytest.mark.parametrize("check", [case(check) for check in checks(kind)])


def _known(kind: str, expected: Mapping[str, str] | None) -> dict[str, str]:
    names = [check.__name__ for check in checks(kind)]
    if unknown := [name for name in expected or () if name not in names]:
        raise ConfigError(f"expected: there is no check {unknown[0]!r} of a {kind}; there are: {', '.join(names)}")
    return dict(expected or {})


def _outcome(check: Check, plugin: Any, reason: str | None) -> Outcome:
    made = partial(Outcome, check.__name__, inspect.cleandoc(check.__doc__ or ""))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AugsynthWarning)
            check(plugin)
    except unittest.SkipTest as skip:
        return made(NOT_APPLICABLE, str(skip))
    except Exception as error:
        told = str(error) if isinstance(error, AssertionError) and str(error) else f"{type(error).__name__}: {error}"
        return made(FAILED, told) if reason is None else made(EXPECTED, reason)
    return made(PASSED) if reason is None else made(FAILED, f"it was expected to fail ({reason}), and passed")
