"""The conformance suite: what the contract promises, as checks that any plugin author can run.

In a plugin's tests::

    import pytest
    from augsynth.testing import checks

    @pytest.mark.parametrize("check", checks("generator"), ids=lambda check: check.__name__)
    def test_generator(check):
        check("my-distribution/my-generator")

A check takes the name of an installed plugin, or a class or factory (of filters, whose settings may need values, the
filter itself), and raises an ``AssertionError`` that says
which promise is broken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from augsynth.errors import ConfigError
from augsynth.testing import filter_checks, generator_checks, transform_checks
from augsynth.testing.data import TinyImages, TinyTexts

Check = Callable[[Any], None]

_CHECKS: dict[str, tuple[Check, ...]] = {
    "generator": generator_checks.ALL,
    "transform": transform_checks.ALL,
    "filter": filter_checks.ALL,
}


def checks(kind: str) -> list[Check]:
    """The checks for plugins of ``kind``: ``"generator"``, ``"transform"`` or ``"filter"``."""
    if kind not in _CHECKS:
        raise ConfigError(f"there are no checks for kind {kind!r}; there are some for: {', '.join(_CHECKS)}")
    return list(_CHECKS[kind])


__all__ = ["TinyImages", "TinyTexts", "checks"]
