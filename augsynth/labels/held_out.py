"""The labels of held-out samples, among those of a training set."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from augsynth.errors import DataError


def held_out_classes(real: Any, holdout: Any) -> Tensor:
    """(n,) classes of the held-out samples, as positions among those of the training set.

    Raises:
        DataError: no labels, a class that only one of them has, or samples that differ in form.
    """
    labels, others = real.spec.classes, holdout.spec.classes
    if labels is None or others is None or holdout.classes is None:
        raise DataError("samples of real and holdout are to be compared by class, and their targets are none")
    if differences := real.spec.differences(holdout.spec):
        raise DataError(f"real and holdout differ in form: {'; '.join(differences)}")
    if unknown := [value for value in others.values if value not in labels.values]:
        raise DataError(f"the holdout has classes that the training set lacks: {unknown}")
    if absent := [labels.display(i) for i, value in enumerate(labels.values) if value not in others.values]:
        raise DataError(
            f"classes without a sample in the holdout: {', '.join(absent)}; add some, "
            f"or leave these classes out of real"
        )
    positions: Tensor = labels.indices(others.values_of(holdout.classes))
    return positions
