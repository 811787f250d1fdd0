"""Write a checkpoint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Protocol

from safetensors import SafetensorError
from safetensors.torch import save as to_bytes
from safetensors.torch import save_file
from torch import Tensor

from augsynth._atomic import atomic_folder
from augsynth._names import name_of
from augsynth._version import __version__
from augsynth.checkpoint.format import CARD, DESCRIPTION, FORMAT, PREVIEW, STATE, WEIGHTS, digest, file_digest
from augsynth.errors import CheckpointError, NotFittedError
from augsynth.privacy.statement import card
from augsynth.recognition import modality_of

_PREVIEW_PER_CLASS, _PREVIEW_CLASSES = 8, 16
_OF_A_CHECKPOINT = {WEIGHTS, DESCRIPTION, CARD, STATE}
_OF_THE_SYSTEM = {".DS_Store", "Thumbs.db", "desktop.ini"}  # left by those who show folders


class Saveable(Protocol):
    """What is saved: a fitted generator."""

    spec: Any
    config: dict[str, Any]
    plugin: str | None
    plugin_version: str | None
    fit_info: dict[str, Any]
    keeps_samples: ClassVar[bool]
    costly: ClassVar[bool]

    def inference_state(self) -> dict[str, Tensor]: ...

    def sample(self, n: int | None = None, **request: Any) -> Any: ...


def check_place(path: str | Path) -> None:
    """Raise a CheckpointError where anything but a checkpoint stands at ``path``: to a new one it would be lost."""
    place = Path(path)
    if place.is_dir():
        names = {file.name for file in place.iterdir()} - _OF_THE_SYSTEM
        own = {name for name in names if name in _OF_A_CHECKPOINT or name.startswith(f"{PREVIEW}.")}
        foreign = sorted(names - own if DESCRIPTION in names else names)
        if foreign:
            listed = ", ".join(map(repr, foreign[:3])) + (", ..." if len(foreign) > 3 else "")
            raise CheckpointError(
                f"{place} holds what is of no checkpoint, {listed}, which would be lost: name a new folder"
            )
    elif place.exists():
        raise CheckpointError(f"{place} is a file, which would be lost: name a new folder")


@contextmanager
def checkpoint_folder(path: str | Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of ``path`` when all is written, see :func:`atomic_folder`.

    Raises:
        CheckpointError: as :func:`check_place`, or it cannot be written, as on a full disk; what was there is whole.
    """
    check_place(path)
    try:
        with atomic_folder(path) as draft:
            yield draft
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{path} cannot be written: {error}. A checkpoint that was there is whole; free some space, or name "
            "another folder"
        ) from error


def save(generator: Saveable, path: str | Path) -> Path:
    """Write ``generator`` to the folder ``path``; see :meth:`augsynth.Generator.save`."""
    with checkpoint_folder(path) as folder:
        write(generator, folder)
    return Path(path)


def write(generator: Saveable, folder: Path) -> None:
    """Write the files of a checkpoint into an existing, empty folder."""
    if generator.spec is None:
        raise NotFittedError("only a fitted generator can be saved: use augsynth.fit(...) first")
    save_file(_weights(generator), folder / WEIGHTS)
    description: dict[str, Any] = {
        "format": FORMAT,
        "augsynth": __version__,
        "plugin": generator.plugin,
        "plugin_version": generator.plugin_version,
        "class": type(generator).__qualname__,
        "spec": generator.spec.to_json(),
        "config": generator.config,
        "fit": generator.fit_info,
        "sha256": {WEIGHTS: file_digest(folder / WEIGHTS)},
    }
    description["digest"] = digest(description)
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=2, ensure_ascii=False), encoding="utf-8")
    (folder / CARD).write_text(_card(generator), encoding="utf-8")
    if not generator.costly:
        modality_of(generator.spec).preview(generator.spec, _preview_batch(generator), folder)


def weights_id(generator: Saveable) -> str:
    """Twelve hex digits that identify the weights, as provenance records them."""
    return hashlib.sha256(to_bytes(_weights(generator))).hexdigest()[:12]


def _weights(generator: Saveable) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in generator.inference_state().items()}


def _preview_batch(generator: Saveable) -> Any:
    """Samples of each class or topic. Generated ones only: a checkpoint holds no training sample."""
    labels, topics = generator.spec.labels, generator.spec.topics
    wanted: dict[str, Any] = {"n": 8 * _PREVIEW_PER_CLASS}
    if labels is not None:
        wanted = {"labels": [value for value in labels.examples(_PREVIEW_CLASSES) for _ in range(_PREVIEW_PER_CLASS)]}
    elif topics is not None:
        wanted = {"topics": [i for i in range(min(len(topics), _PREVIEW_CLASSES)) for _ in range(_PREVIEW_PER_CLASS)]}
    return generator.sample(**wanted, seed=0)


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:60]} ... ({len(text):,} characters)"


def _card(generator: Saveable) -> str:
    spec, info = generator.spec, generator.fit_info
    labels = "none (unconditional)" if spec.labels is None else spec.labels.described
    settings = {key: json.dumps(value, ensure_ascii=False) for key, value in sorted(generator.config.items())}
    topics = spec.topics
    about = f"\n- Topics: {'; '.join(topics.names)}" if topics is not None else ""
    rows = "\n".join(f"| {key} | {_short(value)} |" for key, value in settings.items())
    kept = (
        "**The folder holds real samples that it was fitted on**: share it only where you may share those."
        if generator.keeps_samples
        else "The folder holds no training sample."
    )
    health = info.get("warnings") or ["none"]
    teacher = info.get("distilled_from")
    distilled = f"; learnt from the generator `{teacher}`, which was fitted on them" if teacher else ""
    return f"""# {name_of(generator)}

A generator of synthetic samples, fitted with augsynth {__version__}.

- Samples: {spec.described}
- Classes: {labels}{about}
- Fitted on: {info.get("samples", "?")} samples, fingerprint `{info.get("data_fingerprint", "?")}`
- Fit: {info.get("steps", "?")} steps, {info.get("seconds", "?")} s, seed {info.get("seed", "?")}{distilled}
- Warnings while fitting: {"; ".join(health)}

| setting | value |
|---|---|
{rows}

```python
import augsynth
gen = augsynth.load("path/to/this/folder")
batch = gen.sample(64, seed=0)
```

{card(info.get("privacy"))}

{kept} That a generator does not reproduce its training data is not proven by that:
check it against a hold-out before you publish samples of sensitive data.
"""
