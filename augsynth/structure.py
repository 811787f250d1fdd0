"""Where the input and the label sit in what a dataset yields, and how to build the same thing again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from augsynth.errors import ConfigError, DataError

X_KEYS = ("x", "input", "inputs", "data")
Y_KEYS = ("label", "labels", "target", "targets", "y", "class", "fine_label")

Fields = Mapping[str, Any] | Sequence[Any]


class Kind(Protocol):
    """What is asked of a kind of data here; a :class:`SampleSpec`, or its class."""

    @property
    def field_names(self) -> tuple[str, ...]: ...

    def claims(self, x: Any) -> bool: ...


@dataclass(frozen=True)
class Structure:
    """The form of a sample: a bare input, a tuple or list, or a dict.

    Args:
        kind: ``"bare"``, ``"tuple"``, ``"list"`` or ``"dict"``.
        x: position or key of the input (None when bare).
        y: position or key of the label, None when there is none.
        others: positions or keys of further fields.
        size: number of fields.
        target: what kind of target the label is, where the user said so.
    """

    kind: str
    x: int | str | None
    y: int | str | None
    others: tuple[int | str, ...] = ()
    size: int = 1
    target: str | None = None

    @classmethod
    def of(cls, sample: Any, fields: Fields | None = None, kinds: Iterable[Kind] = ()) -> Structure:
        """Read the structure off one sample.

        Args:
            sample: what the dataset yields.
            fields: ``{"x": key, "y": key}`` or ``(x, y)`` where the defaults do not find them: the first two
                entries of a tuple, or the usual keys of a dict (``x``, ``label``, ...). ``"y": None`` means
                unlabelled. ``"target"`` says what kind of target ``y`` is, where values alone would mislead:
                ``"class"``, ``"multilabel"`` or ``"number"``.
            kinds: of data, which know further keys, and inputs that are dicts themselves.

        Raises:
            DataError: the input is not found; the message lists the keys there are.
            ConfigError: ``fields`` is not of the stated form or names what is not there.
        """
        wanted, kinds = _wanted(fields), list(kinds)
        if isinstance(sample, Mapping) and fields is None and any(kind.claims(sample) for kind in kinds):
            return cls("bare", None, None)
        if isinstance(sample, Mapping):
            names = [name for kind in kinds for name in kind.field_names]
            keys = list(sample)
            x = wanted["x"] if "x" in wanted else next((key for key in (*names, *X_KEYS) if key in sample), None)
            y = wanted["y"] if "y" in wanted else next((key for key in Y_KEYS if key in sample), None)
            if x is None:
                raise DataError(
                    f"samples are dicts with the keys {keys}, and none of them is known to hold the input; "
                    f"name it: fields={{'x': ..., 'y': ...}}"
                )
            for role, key in (("x", x), ("y", y)):
                if key is not None and key not in sample:
                    raise ConfigError(f"fields: {role}={key!r} is not a key of the samples; there are: {keys}")
            others = tuple(key for key in keys if key not in (x, y))
            return cls("dict", x, y, others, len(keys), wanted.get("target"))
        if isinstance(sample, (tuple, list)):
            if not sample:
                raise DataError("samples are empty tuples")
            x = wanted.get("x", 0)
            y = wanted.get("y", 1 if len(sample) > 1 else None)
            for role, position in (("x", x), ("y", y)):
                if position is not None and not (isinstance(position, int) and 0 <= position < len(sample)):
                    raise ConfigError(
                        f"fields: {role}={position!r} is not a position of the samples, which have {len(sample)}"
                    )
            others = tuple(i for i in range(len(sample)) if i not in (x, y))
            kind = "tuple" if isinstance(sample, tuple) else "list"
            return cls(kind, x, y, others, len(sample), wanted.get("target"))
        if wanted.get("y") is not None:
            raise ConfigError(
                f"fields: y={wanted['y']!r} is named, but samples are bare {type(sample).__name__} objects"
            )
        return cls("bare", None, None)

    @property
    def labelled(self) -> bool:
        return self.y is not None

    def x_of(self, sample: Any) -> Any:
        """The input of ``sample``."""
        return sample if self.kind == "bare" else sample[self.x]

    def y_of(self, sample: Any) -> Any:
        """The label of ``sample``, None when there is none."""
        return None if self.y is None else sample[self.y]

    def replace_x(self, sample: Any, x: Any) -> Any:
        """``sample`` with another input; the given one is not changed."""
        if self.kind == "bare":
            return x
        if self.kind == "dict":
            return {**sample, self.x: x}
        items = list(sample)
        items[self.x] = x  # type: ignore[index]
        return _sequence_like(sample, items)

    def replace_y(self, sample: Any, y: Any) -> Any:
        """``sample`` with another label; the given one is not changed."""
        if self.kind == "dict":
            return {**sample, self.y: y}
        items = list(sample)
        items[self.y] = y  # type: ignore[index]
        return _sequence_like(sample, items)

    def build(self, x: Any, y: Any, others: Mapping[Any, Any]) -> Any:
        """A sample of this structure; ``others`` gives the further fields."""
        if self.kind == "bare":
            return x
        values = {self.x: x, **({} if self.y is None else {self.y: y}), **others}
        if self.kind == "dict":
            return values
        items = [values[i] for i in range(self.size)]
        return tuple(items) if self.kind == "tuple" else items

    def build_many(self, xs: Iterable[Any], ys: Iterable[Any], others: Mapping[Any, Any]) -> list[Any]:
        """n samples of this structure."""
        if self.kind == "tuple" and (self.x, self.y, self.size) == (0, 1, 2):
            return list(zip(xs, ys, strict=True))  # by far the most frequent form, at a fifth of the time
        return [self.build(x, y, others) for x, y in zip(xs, ys, strict=True)]

    def with_meta(self, sample: Any, meta: Any) -> Any:
        """``sample`` with the provenance as key ``meta``, or as one more entry."""
        if self.kind == "dict":
            return {**sample, "meta": meta}
        if self.kind == "bare":
            return (sample, meta)
        return (*sample, meta) if self.kind == "tuple" else [*sample, meta]


def _wanted(fields: Fields | None) -> dict[str, Any]:
    if fields is None:
        return {}
    if isinstance(fields, Mapping):
        if unknown := set(fields) - {"x", "y", "target"}:
            raise ConfigError(
                f"fields has the unknown keys {sorted(map(str, unknown))}; expected 'x', 'y' and 'target'"
            )
        return dict(fields)
    if isinstance(fields, str) or len(fields) != 2:
        raise ConfigError(f"fields={fields!r}: expected {{'x': key, 'y': key}} or (x, y)")
    return {"x": fields[0], "y": fields[1]}


def _sequence_like(original: Any, items: list[Any]) -> Any:
    if isinstance(original, list):
        return items
    make = getattr(type(original), "_make", None)  # a namedtuple stays one
    return make(items) if make is not None else tuple(items)
