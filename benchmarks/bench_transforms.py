"""What a blend's transforms cost: a batch by seeds of its samples, over the library called image by image.

256 images of 3×32×32, floats in [0, 1], one core. The library's own loop follows the global RNG, and can be repeated on
no batch but this one; ``many`` is what a blend calls, and gives an image the same whatever the batch.
"""

from __future__ import annotations

import argparse
from typing import Any

import torch
from common import in_turns, median_ratio, record

import augsynth

IMAGES = 256
AFFINE, FLIP = {"name": "RandomAffine", "degrees": 10.0, "p": 1.0}, {"name": "RandomHorizontalFlip", "p": 0.5}
CASES: dict[str, tuple[str, Any]] = {
    "kornia, affine": ("kornia", AFFINE),
    "kornia, flip": ("kornia", FLIP),
    "kornia, affine + flip + erasing": ("kornia", [AFFINE, FLIP, {"name": "RandomErasing", "p": 0.5}]),
    "torchvision, crop": ("torchvision", {"name": "RandomCrop", "size": 32, "padding": 4}),
    "torchvision, affine": ("torchvision", {"name": "RandomAffine", "degrees": 10.0}),
}


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    images = list(torch.rand(IMAGES, 3, 32, 32, generator=torch.Generator().manual_seed(0)))
    seeds: list[int | None] = list(range(IMAGES))
    figures: dict[str, Any] = {"images": IMAGES, "repeats": options.repeats}
    for name, (plugin, given) in CASES.items():
        ours: Any = augsynth.create("transform", plugin, transforms=given)
        bare = [one if plugin == "torchvision" else (lambda x, one=one: one(x[None])[0]) for one in ours.parts()]

        def loop(bare: Any = bare) -> None:
            for x in images:
                for one in bare:
                    x = one(x)

        ours.many(images, seeds)
        seconds = in_turns({"many": lambda ours=ours: ours.many(images, seeds), "library": loop}, options.repeats)
        figures[name] = {
            "times as fast as the library's loop": median_ratio(seconds["library"], seconds["many"]),
            "ms a batch": 1e3 * min(seconds["many"]),
        }
    record("transforms", figures)


if __name__ == "__main__":
    main()
