"""The form of the real samples, and synthetic samples built in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from augsynth.errors import ConfigError, DataError, SpecMismatchError
from augsynth.label_spec import LabelSpec
from augsynth.space import Space, space_of
from augsynth.structure import Structure


@dataclass(frozen=True)
class RealForm:
    """What the real dataset yields: the structure of a sample, the space of its input, its classes."""

    structure: Structure
    spec: Space
    labels: LabelSpec | None
    fill: Mapping[Any, Any]

    def __post_init__(self) -> None:
        missing = [key for key in self.structure.others if key not in self.fill]
        if missing:
            raise ConfigError(
                f"samples have further fields, {missing}, and a synthetic sample needs a value for each; "
                f"pass fill={{{missing[0]!r}: value}}, or drop the fields from the dataset"
            )

    def build(
        self, inputs: Sequence[Any], classes: Tensor | Sequence[Any], source_labels: LabelSpec | None = None
    ) -> list[Any]:
        """Samples with the structure of the real ones; ``classes`` are positions in ``source_labels``, if given, else
        in the real ones."""
        labels = source_labels or self.labels
        if labels is None or not self.structure.labelled:
            return self.structure.build_many(inputs, [None] * len(inputs), self.fill)
        return self.structure.build_many(inputs, labels.yielded_many(classes), self.fill)


def check_source(source_spec: Space | None, form: RealForm, raw: Any, *, needed: Mapping[int, str]) -> None:
    """Raise unless samples of the source can stand where real ones were.

    Args:
        source_spec: space of the source's samples.
        form: what the real dataset yields.
        raw: (C, H, W) of a real image, to compare its values with the range of the source, or a real text.
        needed: class positions of the real data that may be requested, with names.
    """
    if source_spec is None:
        raise ConfigError("the generator is not fitted: use augsynth.fit(...) or augsynth.load(...)")
    if differences := source_spec.differences(form.spec):
        raise SpecMismatchError(
            "the generator was fitted on other samples than this dataset yields (generator against dataset): "
            f"{'; '.join(differences)}. Fit it on this dataset, or bring the dataset into that form"
        )
    if not source_spec.admits(raw):
        raise SpecMismatchError(
            f"the generator yields {source_spec.described}, but sample 0 of this dataset has values from "
            f"{float(raw.min()):g} to {float(raw.max()):g}; normalise the dataset as it was for the fit"
        )
    if not needed:
        return
    if source_spec.labels is None:
        raise SpecMismatchError(
            "the generator was fitted without labels and cannot match those of this dataset; "
            "fit it on labelled data, or pass condition=None with fields={'x': ..., 'y': None}"
        )
    if form.labels is None:
        return
    unknown = [form.labels.values[i] for i in needed if form.labels.values[i] not in source_spec.labels.values]
    if unknown:
        raise SpecMismatchError(
            f"the generator does not know the classes {unknown} of this dataset; it knows: "
            f"{', '.join(source_spec.labels.displayed)}. Fit it on this dataset, or give those classes a ratio of 0"
        )


def check_alike(real: Any, synthetic: Any, what: str = "sample", *, ragged: bool = False) -> None:
    """Raise a SpecMismatchError if the two would not collate: other type, structure, dtype or shape. With ``ragged``,
    lengths may differ, as those of token sequences do."""
    pictures = isinstance(real, Image.Image) and isinstance(
        synthetic, Image.Image
    )  # whatever file format they came from
    if type(real) is not type(synthetic) and not pictures:
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
    elif pictures and (real.mode, real.size) != (synthetic.mode, synthetic.size):
        raise _unlike(what, f"mode {real.mode}, size {real.size}", f"mode {synthetic.mode}, size {synthetic.size}")


def probe_input(structure: Structure, sample: Any) -> tuple[Space, Any]:
    """Spec and raw form, (C, H, W) or a text, of a real sample's input. Raises DataError that says it was sample 0."""
    try:
        spec = space_of(structure.x_of(sample))
        return spec, spec.to_raw(structure.x_of(sample))
    except DataError as error:
        raise DataError(f"sample 0: {error}") from None


def _unlike(what: str, real: str, synthetic: str) -> SpecMismatchError:
    return SpecMismatchError(
        f"after the transforms, {what} is {real} where real and {synthetic} where synthetic; "
        "make real_transform and synthetic_transform end in the same form"
    )
