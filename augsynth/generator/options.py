"""Options of a generator's own: the keyword arguments of what its author writes."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Sequence
from typing import Any

from augsynth._names import did_you_mean, name_of
from augsynth.errors import BrokenPluginError

REQUEST = ("n", "labels", "topics", "temperature", "truncation", "seed", "seeds")  # what every request has


def unknown_options(
    method: Any, options: Collection[str], *usual: str, open_ended: bool = False
) -> tuple[list[str], list[str]]:
    """Those of ``options`` that ``method`` does not take, and those that it takes beside the ``usual`` ones; both in
    order.

    Args:
        open_ended: a method with ``**options`` may judge them itself.
    """
    if not options:
        return [], []
    parameters = inspect.signature(method).parameters.values()
    known = {one.name for one in parameters if one.kind is one.KEYWORD_ONLY} - set(usual)
    if open_ended and any(one.kind is one.VAR_KEYWORD for one in parameters):
        return [], sorted(known)
    return sorted(set(options) - known), sorted(known)


def refused(name: str, unknown: Sequence[str], known: Sequence[str], usual: Sequence[str]) -> str:
    """The message of a method of this name that has the options ``known`` of its own, beside the ``usual`` ones."""
    has = f"beside {', '.join(usual)} it has: {quoted(known) or 'none'}"
    hint = did_you_mean(unknown[0], [*known, *usual])
    return "; ".join(filter(None, (f"{name} has no option {quoted(unknown)}", has, hint)))


def refused_settings(name: str, unknown: Sequence[str], known: Sequence[str]) -> str:
    """The message of a generator of this name that has the settings ``known``."""
    if any("epoch" in one or one == "max_steps" for one in unknown):
        hint = "how long a fit takes is told to fit, by steps=2000 or max_time='10m'"
    else:
        hint = did_you_mean("lr" if unknown[0] == "learning_rate" else unknown[0], known)
    has = f"it has: {', '.join(known) or 'none'}"
    return "; ".join(filter(None, (f"{name} has no setting {quoted(unknown)}", has, hint)))


def check_draw(generator: Any) -> None:
    """Raise a BrokenPluginError where ``draw`` of a generator does not take what every request has."""
    signature = inspect.signature(type(generator).draw)
    parameters = signature.parameters
    missing = [name for name in ("temperature", "truncation") if name not in parameters]
    if missing and not any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        raise BrokenPluginError(
            f"draw{signature} of {name_of(generator)} takes no {' and no '.join(missing)}: expected "
            "draw(self, labels, seeds, *, temperature, truncation)"
        )


def quoted(names: Sequence[str]) -> str:
    """``'a', 'b'``."""
    return ", ".join(map(repr, names))
