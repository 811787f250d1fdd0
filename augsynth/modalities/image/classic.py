"""Classic augmentation to hold synthetic images against."""

from __future__ import annotations

from typing import Any

from augsynth.modalities.image.spec import ImageSpec
from augsynth.registry import create


def candidates(spec: ImageSpec) -> dict[str, Any]:
    """Light and common policies, by name. They keep what is upright upright but for one that mirrors; whether that
    changes a label is found by measuring."""
    height, width = spec.height, spec.width
    shift = {"name": "RandomCrop", "size": [height, width], "padding": max(1, round(min(height, width) / 14))}
    flip = {"name": "RandomHorizontalFlip"}
    turn = {"name": "RandomRotation", "degrees": 8}
    policies: dict[str, list[Any]] = {
        "shift": [shift],
        "flip": [flip],
        "shift + flip": [shift, flip],
        "shift + rotation": [shift, turn],
        "shift + flip + rotation": [shift, flip, turn],
    }
    return {name: create("transform", "torchvision", transforms=own) for name, own in policies.items()}
