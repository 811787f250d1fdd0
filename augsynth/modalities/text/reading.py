"""Read the texts of a dataset."""

from __future__ import annotations

from typing import Any

from augsynth.errors import DataError
from augsynth.modalities.text.spec import TextSpec
from augsynth.recognition import check_dataset
from augsynth.structure import Fields, Structure


def read_texts(dataset: Any, fields: Fields | None = None) -> tuple[list[Any], Structure, list[str]]:
    """All samples of a dataset of texts, their structure, and the texts.

    Args:
        dataset: map-style or finite iterable; yields texts, alone, in tuples or in dicts.
        fields: where text and label are in a sample, see :class:`Structure`.

    Raises:
        DataError: the dataset is empty, or an input is no str; names its position.
    """
    check_dataset(dataset)
    sized = hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__")
    samples = [dataset[i] for i in range(len(dataset))] if sized else list(dataset)
    if not samples:
        raise DataError("the dataset is empty: it has no texts")
    structure = Structure.of(samples[0], fields, [TextSpec])
    texts = []
    for i, sample in enumerate(samples):
        text = structure.x_of(sample)
        if not isinstance(text, str):
            raise DataError(f"sample {i}: a text of type {type(text).__name__}: expected str")
        texts.append(text)
    return samples, structure, texts
