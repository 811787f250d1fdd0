"""Tell what kind of data it is, by asking every modality; and where in a sample its input and label are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from typing import Any

from torch.utils.data import DataLoader

from augsynth.errors import ConfigError, DataError, PluginError
from augsynth.modality import Modality
from augsynth.registry import default_registry
from augsynth.sample_spec import SampleSpec
from augsynth.structure import Fields, Structure


def modality_of(spec: SampleSpec) -> Modality:
    """The modality that ``spec`` is of."""
    return modality_named(spec.modality)


def modality_named(name: str | Modality) -> Modality:
    """The modality of that name; one that is none passes.

    Raises:
        ConfigError: there is none, or several distributions offer one; the message has the qualified names.
    """
    if isinstance(name, Modality):
        return name
    try:
        made: Modality = default_registry().modality(name)
    except PluginError as error:
        raise ConfigError(f"modality={name!r}: {error}") from error
    return made


def recognised(x: Any, modality: str | Modality | None = None) -> Modality:
    """The modality that claims the input ``x``.

    Args:
        x: what a dataset yields as its input.
        modality: to take this one, whatever others say.

    Raises:
        DataError: none claims it (says what was seen and what is installed), or several do.
    """
    if modality is not None:
        return modality_named(modality)
    known, failed = default_registry().modalities()
    claiming = [one for one in known if one.spec_type.claims(x)]
    if len(claiming) == 1:
        return claiming[0]
    names = ", ".join(sorted(one.qualified for one in claiming or known)) or "none"
    if claiming:
        raise DataError(f"{seen(x)} is claimed by several modalities: {names}; pass modality= with one of them")
    hint = "".join(f"; {name} cannot be used: {error}" for name, error in failed.items())
    raise DataError(
        f"{seen(x)}: no modality claims such an input; there are: {names}{hint}. If samples have other fields, name "
        "the right one with fields=; if it is of one of these, pass modality=, and it says what is wrong"
    )


def read_sample(
    sample: Any, fields: Fields | None = None, modality: str | Modality | None = None, dataset: Any = None
) -> tuple[Structure, SampleSpec]:
    """Structure and spec of a dataset's samples, told from one of them.

    Args:
        sample: what the dataset yields.
        fields: where input and label are, see :class:`Structure`.
        modality: see :func:`recognised`.
        dataset: where it comes from.

    Raises:
        DataError: it is not understood.
        ConfigError: ``fields`` names what is not there.
    """
    known = [modality_named(modality)] if modality is not None else default_registry().modalities()[0]
    kinds = [one.spec_type for one in known]
    structure = Structure.of(sample, fields, kinds)
    x = structure.x_of(sample)
    return structure, spec_of(x, recognised(x, modality), dataset)


def spec_of(x: Any, modality: Modality, dataset: Any = None) -> SampleSpec:
    """The spec of an input of ``modality``."""
    return replace(modality.spec_type.of(x, dataset), modality=modality.qualified)


def check_dataset(dataset: Any) -> None:
    """Raise a DataError for what is easily taken for a dataset: a name, a loader, a table, its columns, or several
    datasets by split."""
    kind = type(dataset).__name__
    if isinstance(dataset, (str, bytes, PathLike)):
        raise DataError(f"{dataset!r} is no dataset; augsynth.open_dataset opens one by its name or path")
    if isinstance(dataset, DataLoader) and dataset.batch_sampler is not None:
        raise DataError("a DataLoader yields batches: pass the dataset that it reads, loader.dataset")
    if hasattr(dataset, "iloc") and hasattr(dataset, "columns"):  # of pandas
        raise DataError(f"a {kind} is no dataset: pass its rows, table.to_dict('records')")
    if hasattr(dataset, "iloc") and list(dataset.index) != list(range(len(dataset))):
        raise DataError(f"a {kind} with an index of its own is no dataset: pass its values, column.tolist()")
    if _are_columns(dataset):
        raise DataError("inputs and labels side by side are no dataset: pass list(zip(x, y)), or TensorDataset(x, y)")
    if isinstance(dataset, Mapping) and 0 not in dataset:
        names = [repr(name) for name in dataset]
        listed = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        told = f": pass one of what it holds, as dataset[{names[0]}]" if names else ""
        raise DataError(f"a {kind} of {listed or 'nothing'} is no dataset{told}")


def _are_columns(dataset: Any) -> bool:
    """Whether it is a pair of as many inputs and labels, and not two samples, which are alike, or tuples."""
    if not isinstance(dataset, tuple) or len(dataset) != 2:
        return False
    if any(isinstance(one, (str, tuple, Mapping)) or not hasattr(one, "__len__") for one in dataset):
        return False
    shapes = [getattr(one, "shape", (len(one),)) for one in dataset]
    alike = len(shapes[0]) > 1 and shapes[0] == shapes[1]
    return len(shapes[0]) > 0 < len(shapes[1]) and shapes[0][0] == shapes[1][0] > 2 and not alike


def seen(x: Any) -> str:
    """An input, for messages: its type, and shape and dtype where it has them; never its values."""
    shape = getattr(x, "shape", None)
    about = "" if shape is None else f" of shape {tuple(shape)} and dtype {getattr(x, 'dtype', '?')}"
    return f"sample input of type {type(x).__name__}{about}"
