"""Say that something public goes, for a minor version at least before it does; see docs/versions.md."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from augsynth.errors import AugsynthDeprecationWarning

F = TypeVar("F", bound=Callable[..., Any])


def deprecated(*, since: str, until: str, instead: str) -> Callable[[F], F]:
    """A function or class that works as before, and warns.

    Args:
        since: version that says so first.
        until: version in which it will be gone.
        instead: what to use: ``"augsynth.fit"``.
    """

    def wrap(function: F) -> F:
        @functools.wraps(function)
        def warned(*args: Any, **kwargs: Any) -> Any:
            _warn(f"{function.__qualname__}", since, until, instead)
            return function(*args, **kwargs)

        return warned  # type: ignore[return-value]

    return wrap


def renamed_argument(old: str, new: str, *, since: str, until: str) -> Callable[[F], F]:
    """An argument that is taken by its old name as well, and then warns.

    Raises, when the function is called:
        TypeError: both names are given.
    """

    def wrap(function: F) -> F:
        @functools.wraps(function)
        def renaming(*args: Any, **kwargs: Any) -> Any:
            if old in kwargs:
                if new in kwargs:
                    raise TypeError(f"{function.__qualname__}() got {new!r}, and its old name {old!r} as well")
                _warn(f"{old}= of {function.__qualname__}", since, until, f"{new}=")
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return renaming  # type: ignore[return-value]

    return wrap


def _warn(what: str, since: str, until: str, instead: str) -> None:
    told = f"{what} is deprecated since augsynth {since}, and gone from {until} on: use {instead}"
    warnings.warn(told, AugsynthDeprecationWarning, stacklevel=3)
