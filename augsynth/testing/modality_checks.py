"""What every kind of data promises."""

from __future__ import annotations

import json
import pickle
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import SkipTest

import numpy as np
import torch
from torch import Tensor

from augsynth.batch import Provenance, SampleBatch
from augsynth.blending.dataset import SyntheticDataset
from augsynth.errors import DataError
from augsynth.fitting.fit import fit
from augsynth.fitting.training_data import TrainingData
from augsynth.labels.classes import LabelSpec
from augsynth.modality import Modality
from augsynth.recognition import spec_of
from augsynth.registry import default_registry
from augsynth.sample_spec import SampleSpec
from augsynth.seeding import seeds_for
from augsynth.testing.global_rngs import global_rngs, same_rngs
from augsynth.testing.kinds import assert_alike, close, equal
from augsynth.testing.replaying import Replay

_N, _CLASSES = 12, 3
_TOLERANCE = 1e-3  # of the raw form: what a way there and back may lose in float32


def _made(modality: Any) -> Modality:
    """The modality: by the name of a plugin, or the class, or the object itself."""
    if isinstance(modality, str):
        named: Modality = default_registry().modality(modality)
        return named
    kind: Modality = modality() if isinstance(modality, type) else modality
    return kind


def _cases(modality: Any) -> Iterator[tuple[str, Modality, SampleSpec, list[Any]]]:
    """Each form of input: its name, the modality, its spec, and inputs."""
    kind = _made(modality)
    for form in kind.forms:
        data = kind.tiny(_N, classes=0, form=form)
        given = [data[i] for i in range(_N)]
        spec = spec_of(given[0], kind, data)
        yield form, kind, spec.refined(spec.stacked([spec.to_raw(x) for x in given])), given


def _raw(spec: SampleSpec, given: list[Any]) -> Any:
    return spec.stacked([spec.to_raw(x) for x in given])


def check_says_what_it_is(modality: Any) -> None:
    """It is a Modality with a spec of its own, forms, and suffixes of files."""
    kind = _made(modality)
    assert isinstance(kind, Modality), f"{type(kind).__name__} is no augsynth.authoring.Modality"
    spec_type = getattr(kind, "spec_type", None)
    assert isinstance(spec_type, type) and issubclass(spec_type, SampleSpec), (
        f"spec_type is {spec_type!r}: expected a subclass of augsynth.authoring.SampleSpec"
    )
    assert kind.forms and len(set(kind.forms)) == len(kind.forms), f"forms are {kind.forms}: expected distinct names"
    wrong = [one for one in kind.suffixes if one and not one.startswith(".")]
    assert kind.suffixes and not wrong, f"suffixes are {kind.suffixes}: expected such as '.npz', or '' for a folder"


def check_tiny_data(modality: Any) -> None:
    """``tiny`` yields n samples in every form, with the labels ``i % classes`` or bare, and follows its seed."""
    kind = _made(modality)
    for form in kind.forms:
        data, bare = kind.tiny(_N, form=form), kind.tiny(_N, classes=0, form=form)
        assert len(data) == len(bare) == _N, f"{form}: tiny({_N}) has {len(data)} samples, and {len(bare)} bare ones"
        labels = [int(data[i][1]) for i in range(_N)]
        assert labels == [i % _CLASSES for i in range(_N)], f"{form}: the labels are {labels}: expected i % classes"
        first, again, other = (_bytes(kind, form, kind.tiny(_N, classes=0, form=form, seed=seed)) for seed in (0, 0, 1))
        assert first == again, f"{form}: the same seed gave other data"
        assert first != other, f"{form}: another seed gave the same data"


def check_claims_its_own(modality: Any) -> None:
    """It claims its own inputs in every form, and nothing that is none; without an error."""
    kind = _made(modality)
    for form, _, spec, given in _cases(modality):
        assert all(kind.spec_type.claims(x) for x in given), f"{form}: it does not claim its own inputs"
        assert all(kind.spec_type.claims(x) for x in spec.yielded(_raw(spec, given))), (
            f"{form}: it does not claim what it yields itself"
        )
    for x in (None, object(), {1, 2}, len):
        assert not kind.spec_type.claims(x), f"it claims {x!r}"


def check_the_way_there_and_back(modality: Any) -> None:
    """Inputs become what generators see, finite and of the stated shape, and come back as they were."""
    for form, _, spec, given in _cases(modality):
        raw = _raw(spec, given)
        x = spec.raw_to_model(raw)
        told = spec.flaw(x, _N)
        assert told is None, f"{form}: as generators see them, inputs are no samples: {told}"
        if spec.tensors:
            assert isinstance(x, Tensor) and x.dtype == torch.float32, f"{form}: generators would see {_about(x)}"
        back = spec.model_to_raw(x)
        for i in range(_N):
            assert close(back[i], raw[i], _TOLERANCE), f"{form}: model_to_raw(raw_to_model(x)) is not x"


def check_what_it_yields(modality: Any) -> None:
    """Made samples are handed out as what the dataset yields: of its type, dtype and shape, with the same spec."""
    for form, kind, spec, given in _cases(modality):
        made = spec.batched(spec.raw_to_model(_raw(spec, given)))
        assert len(made) == _N, f"{form}: {_N} samples were handed out as {len(made)}"
        for real, one in zip(given, made, strict=True):
            if not spec.interchangeable(real, one):
                assert_alike(real, one, f"{form}: a sample", ragged=not spec.tensors)
        told = spec_of(made[0], kind, kind.tiny(_N, classes=0, form=form)).differences(spec)
        assert not told, f"{form}: samples that are handed out are of another spec: {'; '.join(told)}"


def check_inputs_of_a_caller(modality: Any) -> None:
    """``inputs`` takes n in a list, or as the dataset yields them, and refuses a single one."""
    for form, _, spec, given in _cases(modality):
        x = spec.raw_to_model(_raw(spec, given))
        assert equal(spec.inputs(given), x), f"{form}: inputs in a list are read otherwise than in a dataset"
        _refused(lambda spec=spec, one=given[0]: spec.inputs(one), f"{form}: a single input as n of them")


def check_bad_inputs_are_refused(modality: Any) -> None:
    """What is no input, or not one like the others, is refused with a DataError that says what it is."""
    for form, _, spec, _given in _cases(modality):
        for x in (None, object(), len):
            _refused(lambda spec=spec, x=x: spec.to_raw(x), f"{form}: {x!r} among the inputs")
    kind = _made(modality)
    for x in (None, object()):
        _refused(lambda x=x: spec_of(x, kind), f"the spec of {x!r}")


def check_the_spec_is_plain_data(modality: Any) -> None:
    """A spec goes through JSON, as in checkpoints, and through pickle, as to workers, and is the same."""
    for form, kind, spec, _given in _cases(modality):
        told = json.loads(json.dumps(spec.to_json()))
        try:
            read: Any = kind.spec_type.from_json(told)
        except (KeyError, TypeError, ValueError) as error:
            raise AssertionError(f"{form}: from_json does not take what to_json made: {error!r}") from error
        assert read == spec, f"{form}: read from JSON, it is another spec"
        assert pickle.loads(pickle.dumps(spec)) == spec, f"{form}: a pickled copy is another spec"
        assert not spec.differences(spec), f"{form}: a spec differs from itself"
        assert isinstance(spec.described, str) and spec.described.strip(), f"{form}: it does not describe itself"


def check_samples_go_into_shared_memory(modality: Any) -> None:
    """Samples are written to a slot of a stated size, and read as they were."""
    for form, _, spec, given in _cases(modality):
        raw = _raw(spec, given)
        slot = spec.raw_slot()
        if slot is not None:
            shape, dtype = slot
            assert tuple(raw.shape[1:]) == tuple(shape) and raw.dtype == dtype, (
                f"{form}: raw_slot says {tuple(shape)} {dtype}, and raw samples are {_about(raw)}"
            )
            continue
        packed = spec.packed(spec.raw_to_model(raw))
        longest = max(map(len, packed))
        assert longest <= spec.slot_bytes, (
            f"{form}: a sample takes {longest} bytes, and slot_bytes is {spec.slot_bytes}"
        )
        assert equal(spec.stacked(spec.unpacked(packed)), raw), f"{form}: unpacked(packed(x)) is not x"


def check_equal_samples_are_found(modality: Any) -> None:
    """Equal samples have equal bytes, by which duplicates and leaks are found, and others have others."""
    for form, _, spec, given in _cases(modality):
        first, again = (list(spec.digestible(_raw(spec, given))) for _ in range(2))
        assert first == again, f"{form}: the same samples have other bytes the next time"
        assert len(first) == _N and len(set(first)) > 1, f"{form}: different samples have the same bytes"
        assert spec.raw_bytes(_raw(spec, given)) != spec.raw_bytes(_raw(spec, given[::-1])), (
            f"{form}: raw_bytes does not tell one dataset from another"
        )


def check_it_can_be_classified_and_compared(modality: Any) -> None:
    """Its classifier takes samples to (n, outputs), features and details to a row each; equal ones are not spread."""
    for form, kind, spec, given in _cases(modality):
        x = spec.raw_to_model(_raw(spec, given))
        network: Any = kind.classifier(spec, _CLASSES).eval()
        with torch.no_grad():
            shape = tuple(network(x).shape)
            assert shape == (_N, _CLASSES), f"{form}: the classifier made {shape}: expected {(_N, _CLASSES)}"
            assert len(network.features(x)) == _N, f"{form}: the classifier's features are not a row for each sample"
        name, extract = kind.detail(spec, x)
        assert extract(x).shape[0] == _N, f"{form}: detail {name!r} is not a row for each sample"
        for one, known, value in kind.attributes(spec, x):
            rows_told = (known.shape[0], *value.shape)
            assert known.ndim == 2 and rows_told == (_N, _N), f"{form}: attribute {one!r} is not a row for each sample"
        rows = torch.zeros(_N, dtype=torch.int64)
        # float32 distances of equal samples are not quite 0 where they are found by way of products
        assert kind.spread(spec, x[rows]) < 1e-2 * kind.spread(spec, x), f"{form}: equal samples are spread"


def check_it_is_shown_and_written(modality: Any) -> None:
    """Samples have a line each, a page without links, a picture or none, a preview, and a file of each suffix."""
    for form, kind, spec, given in _cases(modality):
        batch = _batch(spec, given)
        assert len(kind.lines(spec, batch.model_x)) == _N, f"{form}: lines() is not a line for each sample"
        page = kind.html(spec, batch.model_x)
        assert isinstance(page, str) and not any(one in page for one in ("<script", "http:", "https:")), (
            f"{form}: html() links somewhere, or holds a script"
        )
        with tempfile.TemporaryDirectory() as folder:
            shown = kind.preview(spec, batch, Path(folder))
            assert shown.is_file() and shown.stem == "preview", f"{form}: preview() wrote {shown.name}"
            for suffix in kind.suffixes:
                files = kind.write(spec, batch, Path(folder) / f"made{suffix}")
                assert files and all(file.exists() for file in files), f"{form}: write() made no {suffix or 'folder'}"


def check_global_rngs_are_left_alone(modality: Any) -> None:
    """No global RNG is moved on any way."""
    before = global_rngs()
    for _, kind, spec, given in _cases(modality):
        spec.batched(spec.raw_to_model(_raw(spec, given)))
        kind.spoilt(spec.raw_to_model(_raw(spec, given)), 0)
    assert same_rngs(before), "a global RNG was moved"


def check_the_whole_road(modality: Any) -> None:
    """Datasets in every form are recognised, fitted on, blended and loaded in batches."""
    kind = _made(modality)
    if not kind.qualified:
        raise SkipTest("it is not installed: a dataset's kind is found among installed plugins; give its name")
    replay = type("Replay", (Replay,), {"modality": kind.qualified})
    for form in kind.forms:
        data = kind.tiny(_N, form=form)
        gen = fit(replay, data, progress=False, device="cpu", modality=kind.qualified)
        blended = SyntheticDataset(data, gen, ratio=1.0, seed=0)
        samples = [blended[i] for i in range(_N)]
        assert [int(y) for _, y in samples] == [i % _CLASSES for i in range(_N)], f"{form}: labels of a blend differ"
        own = TrainingData.read(data, modality=kind.qualified, show=False)
        made = [own.spec.to_raw(x) for x, _ in samples]
        assert all(any(close(x, own.raw[i], _TOLERANCE) for i in range(_N)) for x in made), (
            f"{form}: samples that a generator kept of the data and gave back are none of them"
        )


def _bytes(kind: Modality, form: str, data: Any) -> list[bytes]:
    given = [data[i] for i in range(len(data))]
    spec = spec_of(given[0], kind, data)
    return list(spec.digestible(_raw(spec, given)))


def _batch(spec: SampleSpec, given: list[Any]) -> SampleBatch:
    labels = LabelSpec.of(0, [i % _CLASSES for i in range(_N)])
    classes = torch.arange(_N) % _CLASSES
    x = spec.raw_to_model(_raw(spec, given))
    meta = Provenance(seeds_for(_N, seed=0), {"condition": (labels, classes)}, {"plugin": "", "checkpoint": ""})
    return SampleBatch(spec.batched(x), labels.batched(classes), meta, x, classes)


def _refused(action: Any, what: str) -> None:
    try:
        action()
    except DataError as error:
        assert str(error).strip(), f"{what}: the error says nothing"
        return
    except Exception as error:
        raise AssertionError(f"{what}: raised {type(error).__name__} ({error}); expected a DataError") from error
    raise AssertionError(f"{what}: it was taken; expected a DataError")


def _about(x: Any) -> str:
    return f"{tuple(x.shape)} {x.dtype}" if isinstance(x, (Tensor, np.ndarray)) else type(x).__name__


ALL = tuple(
    value for name, value in list(globals().items()) if name.startswith("check_") and value.__module__ == __name__
)
