"""Whether synthetic samples can stand where real ones were."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from augsynth.blending.real_form import RealForm
from augsynth.errors import ConfigError, CostWarning, SpecMismatchError
from augsynth.joint import Joint
from augsynth.sample_spec import SampleSpec


def warn_of_cost(source: Any) -> None:
    """A :class:`augsynth.CostWarning` where each epoch would ask a costly source anew."""
    if getattr(source, "costly", False):
        warnings.warn(
            f"{getattr(source, 'plugin', None) or type(source).__name__} costs money or a wait for every sample, and a "
            "blend asks in every epoch: augsynth.recorded(augsynth.record(gen, n, out)) asks once",
            CostWarning,
            stacklevel=3,
        )


def check_source(
    source_spec: SampleSpec | None, form: RealForm, raw: Any, *, needed: Mapping[int, str], chooses: bool = False
) -> None:
    """Raise unless samples of the source can stand where real ones were.

    Args:
        source_spec: space of the source's samples.
        form: what the real dataset yields.
        raw: a real input, raw, to compare its values with those of the source.
        needed: class positions of the real data that may be requested, with names.
        chooses: whether the source gives its samples labels of its own choice.
    """
    if source_spec is None:
        raise ConfigError("the generator is not fitted: use augsynth.fit(...) or augsynth.load(...)")
    if form.spec is None:
        return
    if differences := source_spec.differences(form.spec):
        raise SpecMismatchError(
            "the generator was fitted on other samples than this dataset yields (generator against dataset): "
            f"{'; '.join(differences)}. Fit it on this dataset, or bring the dataset into that form"
        )
    if misfit := source_spec.misfit(raw):
        raise SpecMismatchError(f"the generator yields {source_spec.described}, but sample 0 of this dataset {misfit}")
    own = source_spec.labels
    if own is None:
        if needed or (chooses and form.labels is not None):
            raise SpecMismatchError(
                "the generator was fitted without labels and cannot match those of this dataset; "
                "fit it on labelled data, or pass condition=None with fields={'x': ..., 'y': None}"
            )
        return
    if not needed or form.labels is None:
        return
    if unknown := own.unknown(form.labels, list(needed)):
        raise SpecMismatchError(
            f"the generator does not know the classes {unknown} of this dataset; it knows: "
            f"{', '.join(own.displayed)}. Fit it on this dataset, or give those classes a ratio of 0"
        )
    if not own.categorical:
        return
    empty = [name for i, name in needed.items() if own.counts[own.index(form.labels.values[i])] == 0]
    if empty:
        raise SpecMismatchError(
            f"the source holds no sample of the classes {', '.join(map(repr, empty))} of this dataset: record some, or "
            "give those classes a ratio of 0"
        )


def check_alike(real: Any, synthetic: Any, what: str = "sample", *, ragged: bool = False) -> None:
    """Raise a SpecMismatchError if the two would not collate: other type, structure, dtype or shape. With ``ragged``,
    lengths may differ, as those of token sequences do."""
    if isinstance(real, Joint) and isinstance(synthetic, Joint):
        for (name, a), (_, b) in zip(real.items(), synthetic.items(), strict=True):
            check_alike(a, b, what if name == "x" else f"the {name}", ragged=ragged)
        return
    kin = isinstance(real, type(synthetic)) or isinstance(synthetic, type(real))  # a decoded file may be a subclass
    if not kin or isinstance(real, bool) != isinstance(synthetic, bool):
        raise _unlike(what, type(real).__name__, type(synthetic).__name__)
    if isinstance(real, Mapping):
        if set(real) != set(synthetic):
            raise _unlike(what, f"the keys {sorted(map(str, real))}", f"{sorted(map(str, synthetic))}")
        for key in real:
            check_alike(real[key], synthetic[key], f"{what}[{key!r}]", ragged=ragged)
    elif isinstance(real, (list, tuple)):
        if len(real) != len(synthetic) and not ragged:
            raise _unlike(what, f"{len(real)} entries", f"{len(synthetic)}")
        for i, (a, b) in enumerate(zip(real, synthetic, strict=False)):
            check_alike(a, b, f"{what}[{i}]", ragged=ragged)
    elif isinstance(real, (Tensor, np.ndarray)):
        sizes = (real.ndim, synthetic.ndim) if ragged else (tuple(real.shape), tuple(synthetic.shape))
        if real.dtype != synthetic.dtype or sizes[0] != sizes[1]:
            raise _unlike(what, f"{real.dtype} {tuple(real.shape)}", f"{synthetic.dtype} {tuple(synthetic.shape)}")
    elif not isinstance(real, str) and _about(real) != _about(synthetic):
        raise _unlike(what, f"of (mode, size) {_about(real)}", f"{_about(synthetic)}")


def _about(x: Any) -> tuple[Any, Any]:
    """What tells two objects apart that are no arrays, where they say so."""
    mode, size = getattr(x, "mode", None), getattr(x, "size", None)
    return mode, None if callable(size) else size


def _unlike(what: str, real: str, synthetic: str) -> SpecMismatchError:
    return SpecMismatchError(
        f"after the transforms, {what} is {real} where real and {synthetic} where synthetic; "
        "make real_transform and synthetic_transform end in the same form"
    )
