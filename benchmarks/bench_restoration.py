"""Does a flow mend images better than what knows no data? Fashion-MNIST, held-out images.

Noise is taken out against OpenCV's fastNlMeansDenoising, whose strength is chosen on validation images for each level;
holes are filled in against Telea's inpainting; images of half the size are enlarged against cubic interpolation. What
has lost contrast is given to Pillow and OpenCV alone. PSNR in dB and SSIM, of torchmetrics, over 500 test images.

    python benchmarks/bench_restoration.py --per-class 1000
"""

from __future__ import annotations

import argparse
import warnings

import cv2
import numpy as np
import torch
from common import record
from PIL import Image, ImageOps
from torch.nn import functional as F  # noqa: N812 - as in torch's documentation

import augsynth
from augsynth.datasets.named import open_dataset

augsynth.import_torchvision()
from torchmetrics.functional.image import (  # noqa: E402 - which imports torchvision as it is
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

NOISES, HOLES, STRENGTHS, IMAGES = (15, 25, 50), (7, 12), (0.6, 0.8, 1.0, 1.2, 1.4), 500
FADED = (0.25, 0.5, 0.75)


def scored(made: torch.Tensor, x: torch.Tensor) -> dict[str, float]:
    a, b = made.float(), x.float()
    return {
        "PSNR": float(peak_signal_noise_ratio(a, b, data_range=255.0)),
        "SSIM": float(structural_similarity_index_measure(a, b, data_range=255.0)),
    }


def each(function, x: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(np.stack([function(one[0]) for one in x.numpy()]))[:, None]


def noisy(x: torch.Tensor, level: int, seed: int) -> torch.Tensor:
    grain = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))
    return (x + level * grain).round().clamp(0, 255).to(torch.uint8)


def means(x: torch.Tensor, level: int, strength: float) -> torch.Tensor:
    return each(lambda one: cv2.fastNlMeansDenoising(one, None, strength * level, 3, 11), x)


def stretched(one: np.ndarray) -> np.ndarray:
    return np.array(ImageOps.autocontrast(Image.fromarray(one)))


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--per-class", type=int, default=1000)
    parser.add_argument("--max-time")
    parser.add_argument("--checkpoint")
    options = parser.parse_args()
    full, test = open_dataset("fashion-mnist"), open_dataset("fashion-mnist", split="test")
    order = torch.randperm(len(full), generator=torch.Generator().manual_seed(0))
    targets = torch.tensor(full.targets)[order]
    chosen = torch.cat([order[targets == c][: options.per_class] for c in range(10)])
    if options.checkpoint:
        gen = augsynth.load(options.checkpoint)
    else:
        limit = {"max_time": options.max_time} if options.max_time else {}
        gen = augsynth.fit("flow", full.subset(chosen), seed=0, device="cpu", **limit)
    x, validation = test.inputs[:IMAGES], full.subset(order[-200:]).inputs
    figures: dict = {"images fitted on": len(chosen), "updates": gen.fit_info["steps"]}
    for level in NOISES:
        rough = noisy(validation, level, 1)
        scores = {s: scored(means(rough, level, s), validation)["PSNR"] for s in STRENGTHS}
        best = max(scores, key=scores.__getitem__)
        given = noisy(x, level, 0)
        figures[f"noise {level}"] = {
            "as it is": scored(given, x),
            f"fastNlMeans, h = {best:g} times the noise": scored(means(given, level, best), x),
            "flow": scored(gen.restore(given, noise=level / 255), x),
            "flow, noise estimated": scored(gen.restore(given, noise="auto"), x),
        }
    for side in HOLES:
        start = (28 - side) // 2
        hole = torch.zeros(28, 28, dtype=torch.bool)
        hole[start : start + side, start : start + side] = True
        given = torch.where(hole, torch.tensor(0, dtype=torch.uint8), x)
        telea = each(lambda one, hole=hole: cv2.inpaint(one, hole.byte().numpy(), 3, cv2.INPAINT_TELEA), given)
        figures[f"hole of {side}×{side}"] = {
            "Telea": scored(telea, x),
            "flow": scored(gen.restore(given, mask=hole), x),
        }
    for share in FADED:  # nothing to learn: what has lost its contrast has not lost its order
        mean = x.float().mean((1, 2, 3), keepdim=True)
        given = (mean + share * (x - mean)).round().clamp(0, 255).to(torch.uint8)
        figures[f"{share:.0%} of the contrast"] = {
            "as it is": scored(given, x),
            "Pillow's autocontrast": scored(each(stretched, given), x),
            "CLAHE": scored(each(cv2.createCLAHE(2.0, (7, 7)).apply, given), x),
        }
    small = F.avg_pool2d(x.float(), 2).round().to(torch.uint8)
    cubic = F.interpolate(small.float(), (28, 28), mode="bicubic").round().clamp(0, 255).to(torch.uint8)
    figures["twice the size"] = {"cubic": scored(cubic, x), "flow": scored(gen.restore(small, scale=2), x)}
    record("restoration", figures)


if __name__ == "__main__":
    main()
