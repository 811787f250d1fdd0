"""Where input and targets sit in what a dataset yields, and how to build the same thing again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from augsynth.errors import ConfigError, DataError
from augsynth.joint import ROLES, Joint

X_KEYS = ("x", "input", "inputs", "data")
Y_KEYS = ("label", "labels", "target", "targets", "y", "class", "fine_label")

Fields = Mapping[str, Any] | Sequence[Any]
Path = tuple[Any, ...]
"""Keys and positions, from the outside in."""


class Kind(Protocol):
    """What is asked of a kind of data here; a :class:`SampleSpec`, or its class."""

    @property
    def field_names(self) -> tuple[str, ...]: ...

    def claims(self, x: Any) -> bool: ...

    def role_of(self, x: Any, value: Any) -> str | None: ...


@dataclass(frozen=True)
class Structure:
    """The form of a sample: a bare input, a tuple or list, or a dict; a field of these may be a dict itself.

    Args:
        kind: ``"bare"``, ``"tuple"``, ``"list"`` or ``"dict"``.
        x: position or key of the input (None when bare).
        y: position, key or path of the label, None when there is none.
        others: positions, keys or paths of further fields.
        size: number of fields.
        target: what kind of target the label is, where the user said so.
        inside: role and path of each target that lies in the input, such as a mask.
    """

    kind: str
    x: Any
    y: Any
    others: tuple[Any, ...] = ()
    size: int = 1
    target: str | None = None
    inside: tuple[tuple[str, Path], ...] = ()

    @classmethod
    def of(cls, sample: Any, fields: Fields | None = None, kinds: Iterable[Kind] = ()) -> Structure:
        """Read the structure off one sample.

        Args:
            sample: what the dataset yields.
            fields: ``{"x": key, "y": key}`` or ``(x, y)`` where the defaults do not find them: the first two
                entries of a tuple, or the usual keys of a dict (``x``, ``label``, ...). ``"y": None`` means
                unlabelled. ``"mask"``, ``"boxes"`` and ``"keypoints"`` name targets that lie in the input. A key may be
                a path: ``(1, "mask")`` is the mask in the dict at position 1. ``"target"`` says what kind of target
                ``y`` is, where values alone would mislead: ``"class"``, ``"multilabel"`` or ``"number"``.
            kinds: of data, which know further keys, inputs that are dicts themselves, and targets that lie in them.

        Raises:
            DataError: the input is not found; the message lists the keys there are.
            ConfigError: ``fields`` is not of the stated form or names what is not there.
        """
        wanted, kinds = _wanted(fields), list(kinds)
        claimed = isinstance(sample, Mapping) and fields is None and _is_input(sample, kinds)
        if not isinstance(sample, (Mapping, tuple, list)) or claimed:
            if wanted.get("y") is not None:
                raise ConfigError(
                    f"fields: y={wanted['y']!r} is named, but samples are bare {type(sample).__name__} objects"
                )
            return cls("bare", None, None)
        if not sample:
            raise DataError(
                "samples are empty tuples" if not isinstance(sample, Mapping) else "samples are empty dicts"
            )
        _check_named(sample, wanted)
        x = _x_in(sample, wanted, kinds)
        inside = _inside(sample, x, wanted, kinds)
        taken = {path for _, path in inside}
        y = wanted["y"] if "y" in wanted else _y_in(sample, x, taken)
        known = {(x,), *taken, *(() if y is None else (as_path(y),))}
        others = tuple(one[0] if len(one) == 1 else one for one in _leaves(sample, known) if one not in known)
        form = "dict" if isinstance(sample, Mapping) else "tuple" if isinstance(sample, tuple) else "list"
        return cls(form, x, y, others, len(sample), wanted.get("target"), inside)

    @property
    def labelled(self) -> bool:
        return self.y is not None

    def x_of(self, sample: Any) -> Any:
        """The input of ``sample``; with what lies in it, a :class:`Joint`."""
        x = sample if self.kind == "bare" else sample[self.x]
        return Joint(x, {role: _got(sample, path) for role, path in self.inside}) if self.inside else x

    def y_of(self, sample: Any) -> Any:
        """The label of ``sample``, None when there is none."""
        if self.y is None:
            return None
        return _got(sample, self.y) if isinstance(self.y, tuple) else sample[self.y]

    def replace_x(self, sample: Any, x: Any) -> Any:
        """``sample`` with another input, and what lies in it; the given one is not changed."""
        if self.kind == "bare":
            return x
        if not self.inside:
            return _put(sample, (self.x,), x)
        for role, path in self.inside:
            sample = _put(sample, path, x.inside[role])
        return _put(sample, (self.x,), x.x)

    def replace_y(self, sample: Any, y: Any) -> Any:
        """``sample`` with another label; the given one is not changed."""
        return _put(sample, as_path(self.y), y)

    def build(self, x: Any, y: Any, others: Mapping[Any, Any]) -> Any:
        """A sample of this structure; ``others`` gives the further fields."""
        if self.kind == "bare":
            return x
        values: dict[Path, Any] = {as_path(key): value for key, value in others.items()}
        values[(self.x,)] = x.x if self.inside else x
        values |= {path: x.inside[role] for role, path in self.inside}
        if self.y is not None:
            values[as_path(self.y)] = y
        made: dict[Any, Any] = {}
        for path, value in values.items():
            place = made
            for step in path[:-1]:
                place = place.setdefault(step, {})
            place[path[-1]] = value
        if self.kind == "dict":
            return made
        items = [made[i] for i in range(self.size)]
        return tuple(items) if self.kind == "tuple" else items

    def build_many(self, xs: Iterable[Any], ys: Iterable[Any], others: Mapping[Any, Any]) -> list[Any]:
        """n samples of this structure."""
        if self.kind == "tuple" and (self.x, self.y, self.size, self.inside) == (0, 1, 2, ()):
            return list(zip(xs, ys, strict=True))  # by far the most frequent form, at a fifth of the time
        return [self.build(x, y, others) for x, y in zip(xs, ys, strict=True)]

    def with_meta(self, sample: Any, meta: Any) -> Any:
        """``sample`` with the provenance as key ``meta``, or as one more entry."""
        if self.kind == "dict":
            return {**sample, "meta": meta}
        if self.kind == "bare":
            return (sample, meta)
        return (*sample, meta) if self.kind == "tuple" else [*sample, meta]


def _is_input(sample: Any, kinds: Sequence[Kind]) -> bool:
    """Whether a dict is an input itself, and not a sample with one under a usual key."""
    keyed = any(name in sample and kind.claims(sample[name]) for kind in kinds for name in kind.field_names)
    return not keyed and any(kind.claims(sample) for kind in kinds)


def as_path(key: Any) -> Path:
    """A key as a path of one step; a path as it is."""
    return key if isinstance(key, tuple) else (key,)


def _wanted(fields: Fields | None) -> dict[str, Any]:
    if fields is None:
        return {}
    if isinstance(fields, Mapping):
        if unknown := set(fields) - {"x", "y", "target", *ROLES}:
            raise ConfigError(
                f"fields has the unknown keys {sorted(map(str, unknown))}; expected 'x', 'y', 'target', "
                f"{', '.join(map(repr, ROLES))}"
            )
        return dict(fields)
    if isinstance(fields, str) or len(fields) != 2:
        raise ConfigError(f"fields={fields!r}: expected {{'x': key, 'y': key}} or (x, y)")
    return {"x": fields[0], "y": fields[1]}


def _check_named(sample: Any, wanted: Mapping[str, Any]) -> None:
    for role in ("x", "y", *ROLES):
        key = wanted.get(role)
        if key is None:
            continue
        try:
            found = _got(sample, as_path(key))
        except (KeyError, IndexError, TypeError):
            found = None
        inside = isinstance(sample, Mapping) or not isinstance(key, int) or 0 <= key < len(sample)
        if found is None or not inside:
            there = (
                f"key of the samples; there are: {list(sample)}"
                if isinstance(sample, Mapping)
                else (f"position of the samples, which have {len(sample)}")
            )
            raise ConfigError(f"fields: {role}={key!r} is not a {there}")


def _x_in(sample: Any, wanted: Mapping[str, Any], kinds: Sequence[Kind]) -> Any:
    if "x" in wanted:
        return wanted["x"]
    if not isinstance(sample, Mapping):
        return 0
    names = [name for kind in kinds for name in kind.field_names]
    found = next((key for key in (*names, *X_KEYS) if key in sample), None)
    if found is None:
        raise DataError(
            f"samples are dicts with the keys {list(sample)}, and none of them is known to hold the input; "
            f"name it: fields={{'x': ..., 'y': ...}}"
        )
    return found


def _y_in(sample: Any, x: Any, taken: set[Path]) -> Any:
    """The label: the usual key of a dict, the second entry of a tuple, or the usual key of a dict there."""
    if isinstance(sample, Mapping):
        return next((key for key in Y_KEYS if key in sample and (key,) not in taken), None)
    if len(sample) < 2 or (1,) in taken:
        return next((i for i in range(len(sample)) if i != x and (i,) not in taken and _plain(sample[i])), None)
    if isinstance(sample[1], Mapping) and any(path[0] == 1 for path in taken):
        boxes = any(path[-1] == "boxes" for path in taken)  # whose labels are one for each box, and not of the sample
        keys = (key for key in Y_KEYS if key in sample[1] and (1, key) not in taken)
        return None if boxes else next(((1, key) for key in keys), None)
    return 1


def _plain(value: Any) -> bool:
    return not isinstance(value, Mapping) and getattr(value, "ndim", 0) <= 1


def _inside(sample: Any, x: Any, wanted: Mapping[str, Any], kinds: Sequence[Kind]) -> tuple[tuple[str, Path], ...]:
    """Targets that lie in the input: those named, or else those that a kind of data knows for such."""
    named = [(role, as_path(wanted[role])) for role in ROLES if wanted.get(role) is not None]
    if named or any(role in wanted for role in ROLES):
        return tuple(named)
    own, y = sample[x], wanted.get("y")
    found: dict[str, Path] = {}
    for path in _leaves(sample, set(), deep=True):
        if path == (x,) or (y is not None and path == as_path(y)):
            continue
        value = _got(sample, path)
        role = next((r for kind in kinds if kind.claims(own) and (r := kind.role_of(own, value))), None)
        if role is not None:
            found.setdefault(role, path)
    return tuple((role, found[role]) for role in ROLES if role in found)


def _leaves(sample: Any, known: set[Path], *, deep: bool = False) -> list[Path]:
    """Paths of the fields; of a field that is a dict, those inside where one of ``known`` is, or all if ``deep``."""
    made: list[Path] = []
    keys = list(sample) if isinstance(sample, Mapping) else range(len(sample))
    for key in keys:
        value = sample[key]
        inner = isinstance(value, Mapping) and (deep or any(len(path) > 1 and path[0] == key for path in known))
        made += [(key, sub) for sub in value] if inner else [(key,)]
    return made


def _got(sample: Any, path: Path) -> Any:
    for step in path:
        sample = sample[step]
    return sample


def _put(sample: Any, path: Path, value: Any) -> Any:
    """A copy of ``sample`` with ``value`` at ``path``."""
    if len(path) > 1:
        value = _put(sample[path[0]], path[1:], value)
    if isinstance(sample, Mapping):
        return {**sample, path[0]: value}
    items = list(sample)
    items[path[0]] = value
    return _sequence_like(sample, items)


def _sequence_like(original: Any, items: list[Any]) -> Any:
    if isinstance(original, list):
        return items
    make = getattr(type(original), "_make", None)  # a namedtuple stays one
    return make(items) if make is not None else tuple(items)
