"""Compositions of albumentations, seeded per sample. albumentationsx has the same module name and works alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

import augsynth
from augsynth import authoring


class AlbumentationsTransform(authoring.Transform):
    """A composition of albumentations.

    Args:
        pipeline: an ``albumentations.Compose`` or single transform; a list of transforms; the path of a YAML or JSON
            file written by ``albumentations.save``; or the dict that ``albumentations.to_dict`` gives. Default:
            shifts, scaling and rotation by small amounts, without flips.
        value_range: range of float images; they are handed over in [0, 1].

    Raises:
        ConfigError: none of these, or a file that cannot be read as one.
    """

    works_on = "tensor"

    def __init__(self, pipeline: Any = None, *, value_range: tuple[float, float] = (0.0, 1.0)) -> None:
        super().__init__(value_range=value_range)
        self.pipeline = _compose(pipeline)

    def parts(self) -> Sequence[Any]:
        return [self.pipeline]

    def apply(self, image: Tensor, seed: int) -> Tensor:
        import torch

        low, high = self.value_range
        array = np.ascontiguousarray(image.movedim(0, -1).numpy())  # (H, W, C)
        if array.dtype != np.uint8:
            # the library knows float32 in [0, 1] only
            array = ((array.astype(np.float32) - low) / (high - low)).clip(0.0, 1.0)
        self.pipeline.set_random_seed(seed & 0xFFFFFFFF)
        made = np.asarray(self.pipeline(image=array)["image"])
        made = made[..., None] if made.ndim == 2 else made
        result = torch.from_numpy(np.ascontiguousarray(made)).movedim(-1, 0)
        if image.dtype == torch.uint8:
            return result
        return (result.float() * (high - low) + low).to(image.dtype)


def _compose(pipeline: Any) -> Any:
    import albumentations

    if pipeline is None:
        gentle = albumentations.Affine(translate_percent=(-0.1, 0.1), scale=(0.9, 1.1), rotate=(-10, 10), p=1.0)
        return albumentations.Compose([gentle])
    if isinstance(pipeline, (str, Path)):
        return _from_file(Path(pipeline))
    if isinstance(pipeline, dict):
        try:
            return _composed(albumentations.from_dict(pipeline))
        except Exception as error:  # the library raises whatever its parts raise
            raise augsynth.ConfigError(f"pipeline: the dict is no composition of albumentations: {error}") from error
    if isinstance(pipeline, (list, tuple)):
        return albumentations.Compose(list(pipeline))
    if hasattr(pipeline, "set_random_seed"):
        return _composed(pipeline)
    raise augsynth.ConfigError(f"pipeline={pipeline!r}: expected a Compose, a list of transforms, a file or a dict")


def _composed(transform: Any) -> Any:
    import albumentations

    return transform if isinstance(transform, albumentations.BaseCompose) else albumentations.Compose([transform])


def _from_file(path: Path) -> Any:
    import albumentations

    if not path.is_file():
        raise augsynth.ConfigError(f"pipeline={str(path)!r}: there is no such file")
    try:
        if path.suffix in (".yaml", ".yml"):
            import yaml

            data = yaml.safe_load(path.read_text(encoding="utf-8"))
        else:
            data = json.loads(path.read_text(encoding="utf-8"))
        return _composed(albumentations.from_dict(data))
    except augsynth.MissingDependencyError:
        raise
    except Exception as error:  # whatever a parser, or a transform of the library, raises
        raise augsynth.ConfigError(f"pipeline={str(path)!r} is no composition of albumentations: {error}") from error
