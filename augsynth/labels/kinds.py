"""Tell classes, several labels at once and numbers apart, and describe them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from augsynth.errors import ConfigError, DataError
from augsynth.labels.classes import LabelSpec, plain_scalar, told
from augsynth.labels.multilabel import MultiLabelSpec
from augsynth.labels.numbers import NumberSpec, number_spec

Targets = LabelSpec | MultiLabelSpec | NumberSpec
Plain = int | str | bool | float | tuple[float, ...]
KINDS = ("class", "multilabel", "number")
_LONGEST = 4096


def plain_target(target: Any) -> Plain:
    """A target as plain data: a class (int, str, bool), a number (float), or a vector (tuple).

    Raises:
        DataError: it is none of these, such as a mask.
    """
    if isinstance(target, (bool, int, str, float)):
        return plain_scalar(target)
    shape = getattr(target, "shape", None)
    if isinstance(target, (np.generic, np.ndarray, Tensor)) and shape is not None:
        if len(shape) == 0 or tuple(shape) == (1,):
            value = target.item()
            if isinstance(value, (bool, int, str, float)):
                return value
        elif len(shape) == 1 and 2 <= shape[0] <= _LONGEST and _numeric(target):
            return tuple(target.tolist())
    if isinstance(target, (list, tuple)) and 2 <= len(target) <= _LONGEST:
        plain = [
            one.item() if isinstance(one, (np.generic, Tensor)) and not getattr(one, "ndim", 0) else one
            for one in target
        ]
        if all(isinstance(one, (bool, int, float)) for one in plain):
            return tuple(plain)
    raise DataError(
        f"target {told(target)}: expected a class (an int, a str, or a tensor or array holding one int), several "
        "labels (a vector of 0 and 1), or numbers. For data whose target is none of these, pass fields with y=None"
    )


def _numeric(target: Any) -> bool:
    return not isinstance(target, np.ndarray) or target.dtype.kind in "biuf"


def targets_of(
    example: Any, plain: Sequence[Any], names: Sequence[str] | None = None, kind: str | None = None
) -> Targets:
    """Describe the targets of a dataset.

    Args:
        example: one as it is yielded.
        plain: all of them, by :func:`plain_target`.
        names: of the classes or labels, if the dataset has some.
        kind: one of :data:`KINDS`; None tells it from the targets: vectors of 0 and 1 are several labels, other vectors
            and floats are numbers, the rest classes.

    Raises:
        DataError: they are of several kinds or lengths; names the position.
        ConfigError: ``kind`` is none, or does not fit.
    """
    if kind not in (None, *KINDS):
        raise ConfigError(f"target={kind!r}: expected one of {', '.join(map(repr, KINDS))}")
    vectors = isinstance(plain[0], tuple)
    for i, one in enumerate(plain):
        if isinstance(one, tuple) != vectors:
            raise DataError(f"sample {i}: a target that is {'no' if vectors else 'a'} vector, unlike that of sample 0")
        if vectors and len(one) != len(plain[0]):
            raise DataError(f"sample {i}: a target of {len(one)} values, and that of sample 0 has {len(plain[0])}")
    if kind is None:
        hot = vectors and all(value in (0, 1) for one in plain for value in one)
        floats = not vectors and any(isinstance(one, float) for one in plain)
        kind = "multilabel" if hot else "number" if vectors or floats else "class"
    if kind == "class":
        if vectors:
            raise ConfigError("target='class': the targets are vectors")
        return LabelSpec.of(example, plain, names)
    if any(isinstance(value, str) for one in plain for value in (one if vectors else (one,))):
        raise ConfigError(f"target={kind!r}: some targets are names")
    rows = [tuple(map(float, one)) if vectors else (float(one),) for one in plain]
    for i, row in enumerate(rows):
        if not all(np.isfinite(row)):
            raise DataError(f"sample {i}: a target with NaN or infinite values")
    form, dtype = _form_of(example)
    counted = Counter(rows)
    distinct = tuple(sorted(counted))
    common: dict[str, Any] = {
        "form": form,
        "dtype": dtype,
        "size": len(rows[0]),
        "scalar": not vectors and not getattr(example, "shape", ()),
        "rows": distinct,
        "counts": tuple(counted[row] for row in distinct),
    }
    if kind == "multilabel":
        wrong = next((i for i, row in enumerate(rows) if any(v not in (0.0, 1.0) for v in row)), None)
        if wrong is not None or not vectors:
            raise DataError(f"sample {wrong or 0}: a multi-hot target is a vector of 0 and 1")
        fitting = names is not None and len(names) == len(rows[0])
        return MultiLabelSpec(names=tuple(map(str, names)) if fitting and names is not None else None, **common)
    return number_spec(torch.tensor(rows, dtype=torch.float64), **common)


def targets_from_json(data: Mapping[str, Any] | None) -> Targets | None:
    """From what ``to_json`` made; None stays None. Raises KeyError, TypeError or ValueError for anything else."""
    if data is None:
        return None
    values = {key: _tuples(value) for key, value in data.items() if key != "kind"}
    kind = data.get("kind", "class")
    if kind not in KINDS:
        raise ValueError(f"targets of kind {kind!r}")
    return {"class": LabelSpec, "multilabel": MultiLabelSpec, "number": NumberSpec}[kind](**values)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _form_of(example: Any) -> tuple[str, str | None]:
    if isinstance(example, Tensor):
        return "tensor", str(example.dtype).removeprefix("torch.")
    if isinstance(example, (np.ndarray, np.generic)):
        return "numpy", str(example.dtype)
    return type(example).__name__ if isinstance(example, (list, tuple)) else "float", None
