"""A generator's sampler as one file for other runtimes."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from augsynth._atomic import atomic_file
from augsynth._optional import import_optional
from augsynth.errors import CapabilityError, ConfigError
from augsynth.seeding import traceable

_CHECKED = (3, 8)  # samples a batch, of the check
_LEVELS = 1  # of integers, that rounding may tell apart
_CLOSE = 1e-3  # of the range of floats
_OPSET = 18


class _Sampler(nn.Module):
    """Seeds and labels to samples in the dtype and range of the dataset."""

    def __init__(self, gen: Any, options: dict[str, Any]) -> None:
        super().__init__()
        self.gen, self.options = gen, options

    def forward(self, seeds: Tensor, labels: Tensor | None = None) -> Tensor:
        made: Tensor = self.gen.spec.model_to_raw(self.gen.draw(labels, seeds, **self.options))
        return made


def export_onnx(gen: Any, path: Path, options: dict[str, Any]) -> Path:
    """Arguments and errors as of :meth:`augsynth.Generator.export`; ``options`` are those of ``draw``."""
    if not gen.spec.tensors:
        raise CapabilityError(f"{gen._name} makes {gen.spec.kind} samples, which are no tensors: ONNX cannot hold them")
    if path.suffix != ".onnx":
        raise ConfigError(f"path={str(path)!r}: expected a file that ends in .onnx")
    for module in ("onnx", "onnxscript", "onnxruntime"):
        import_optional(module, extra="onnx", purpose="exporting to ONNX")
    home, sampler = gen.device, _Sampler(gen, options)
    gen.to("cpu").eval()
    try:
        content = _traced(sampler, gen)
        worst = _checked(content, sampler, gen)
    finally:
        gen.to(home)
    with atomic_file(path) as draft:
        draft.write_bytes(content)
    logging.getLogger("augsynth").info("%s: samples differ by at most %g from the original", path, worst)
    return path


def _arguments(gen: Any, n: int) -> tuple[Tensor, ...]:
    seeds = torch.arange(n) * 10**15 + 5
    if not gen.conditional:
        return (seeds,)
    known = gen.spec.labels
    if known.categorical:
        return seeds, torch.arange(n) % len(known)
    vectors: Tensor = known.drawn(seeds)
    return seeds, vectors


def _traced(sampler: _Sampler, gen: Any) -> bytes:
    given = _arguments(gen, _CHECKED[0])
    names = ["seeds", "labels"][: len(given)]
    n = torch.export.Dim("n", min=1, max=2**31)
    written = io.StringIO()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(written), traceable(), torch.no_grad():
            warnings.simplefilter("ignore")  # of torch's own affairs
            program = torch.onnx.export(
                sampler,
                given,
                dynamo=True,
                opset_version=_OPSET,
                dynamic_shapes=tuple({0: n} for _ in given),
                input_names=names,
                output_names=["x"],
                external_data=False,
                verbose=False,
            )
            if program is None:
                raise RuntimeError("the exporter returned nothing")
    except Exception as error:  # the exporter raises many kinds
        raise CapabilityError(f"{gen._name} cannot be exported: {_last(error)}") from error
    model = program.model_proto
    labels = gen.spec.labels
    facts = {
        "augsynth.generator": gen._name,
        "augsynth.checkpoint": gen.checkpoint_id,
        "augsynth.classes": "\n".join(labels.displayed) if labels is not None and labels.categorical else "",
    }
    for key, value in facts.items():
        model.metadata_props.add(key=key, value=str(value))
    content: bytes = model.SerializeToString()
    return content


def _last(error: BaseException) -> str:
    """The first line of what an error goes back to."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"


def _checked(content: bytes, sampler: _Sampler, gen: Any) -> float:
    """The largest difference to the original; an error where it is no rounding."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    worst = 0.0
    for n in _CHECKED:
        given = _arguments(gen, n)
        with torch.no_grad():
            expected = sampler(*given)
        names = [one.name for one in session.get_inputs()]
        try:
            (found,) = session.run(None, {name: one.numpy() for name, one in zip(names, given, strict=True)})
        except Exception as error:  # the runtime raises kinds of its own
            raise CapabilityError(
                f"{gen._name} cannot be exported: onnxruntime cannot run a batch of {n} ({error}); where a size became "
                "fixed, draw() has len(x) in the place of x.shape[0]"
            ) from error
        made = torch.from_numpy(found)
        if made.shape != expected.shape or made.dtype != expected.dtype:
            raise CapabilityError(
                f"{gen._name} cannot be exported: a batch of {n} came as {made.dtype} {tuple(made.shape)}, expected "
                f"{expected.dtype} {tuple(expected.shape)}"
            )
        apart = float((made.double() - expected.double()).abs().max())
        scale = float(expected.double().max() - expected.double().min()) or 1.0
        allowed = _CLOSE * scale if expected.is_floating_point() else _LEVELS
        if apart > allowed:
            raise CapabilityError(
                f"{gen._name} cannot be exported: its samples differ by {apart:g} in onnxruntime, where {allowed:g} is "
                "rounding"
            )
        worst = max(worst, apart)
    return worst
