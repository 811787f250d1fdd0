"""What the real dataset yields, and synthetic samples built in the same form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from augsynth.errors import ConfigError, DataError, SpecMismatchError
from augsynth.labels.kinds import Targets
from augsynth.recognition import read_sample, seen
from augsynth.sample_spec import SampleSpec
from augsynth.structure import Fields, Structure


@dataclass(frozen=True)
class RealForm:
    """The form of the real samples.

    Args:
        structure: where input and label are in a sample.
        spec: what inputs look like; None where no generator is to stand in for them, and no modality claims them.
        labels: the classes, or None.
        fill: values of further fields in synthetic samples.
    """

    structure: Structure
    spec: SampleSpec | None
    labels: Targets | None
    fill: Mapping[Any, Any]

    def check_filled(self) -> None:
        """Raise a ConfigError unless there is a value for every field that no generator makes."""
        missing = [key for key in self.structure.others if key not in self.fill]
        if missing:
            raise ConfigError(
                f"samples have further fields, {missing}, and a synthetic sample needs a value for each; "
                f"pass fill={{{missing[0]!r}: value}}, or drop the fields from the dataset"
            )

    def build(
        self, inputs: Sequence[Any], classes: Tensor | Sequence[Any], source_labels: Targets | None = None
    ) -> list[Any]:
        """Samples with the structure of the real ones; ``classes`` are positions among the real ones, or what a
        generator with ``source_labels`` saw."""
        labels = self.labels if source_labels is None else source_labels
        if labels is None or not self.structure.labelled:
            return self.structure.build_many(inputs, [None] * len(inputs), self.fill)
        if source_labels is not None:
            return self.structure.build_many(inputs, source_labels.yielded_conditions(classes), self.fill)
        return self.structure.build_many(inputs, labels.yielded_many(classes), self.fill)


def probed(
    sample: Any, fields: Fields | None, source: Any, dataset: Any = None, structure: Structure | None = None
) -> tuple[Structure, SampleSpec | None, Any]:
    """Structure, spec and raw input of a real sample.

    Args:
        sample: sample 0 of the real data.
        fields: where input and label are.
        source: what is to stand in for it. Its kind of data is taken; without one, what claims the sample, if anything.
        dataset: where the sample comes from.
        structure: if it is known.

    Raises:
        DataError: it is not of that kind; says that it was sample 0.
    """
    known = getattr(source, "spec", None)
    try:
        if known is None:
            found, spec = read_sample(sample, fields, None, dataset)
            own = structure or found
            return own, spec, None if source is None else spec.to_raw(own.x_of(sample))
        structure = structure or Structure.of(sample, fields, [known])
        x = structure.x_of(sample)
        if not known.claims(x):
            raise SpecMismatchError(f"{seen(x)}: the generator was fitted on {known.kind} data, {known.described}")
        spec = replace(type(known).of(x, dataset), modality=known.modality)
        return structure, spec, spec.to_raw(x)
    except DataError as error:
        if source is None and known is None:
            return structure or Structure.of(sample, fields), None, None
        raise type(error)(f"sample 0: {error}") from None
