"""Make the gallery: what each generator and transform makes of data that comes with scikit-learn.

python docs/_site/gallery.py    # writes docs/gallery.md and docs/gallery/; some minutes on two cores
"""

from __future__ import annotations

import csv
import html
import shutil
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits, load_sample_image
from torch.utils.data import TensorDataset

import augsynth

DOCS = Path(__file__).parents[1]
OUT = DOCS / "gallery"
QUESTIONS = DOCS.parent / "examples/data/questions.csv"
IMAGE_GENERATORS = {"vae": 1500, "autoencoder": 1500, "vaegan": 1000, "gan": 1000, "flow": 1000, "vqvae": 1500}
COLOUR = [{"name": "RandomResizedCrop", "size": 128, "scale": (0.5, 1.0)}, {"name": "ColorJitter", "hue": 0.1}]
TRANSFORMS = {
    "torchvision": {"transforms": COLOUR},
    "albumentations": {},
    "opencv": {"inpaint": 0.3, "blur": (0.0, 2.0)},
    "pillow": {"sharpen": (0.0, 3.0), "contrast": (0.5, 1.5)},
}


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    parts = [
        "# Gallery",
        f"Made by the build, with augsynth {augsynth.__version__}; nothing is selected: the first ones drawn.",
    ]
    parts += [*images(), *transforms(), *texts(), *sounds()]
    (DOCS / "gallery.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def images() -> list[str]:
    data = load_digits()
    x = torch.tensor(data.images / 16, dtype=torch.float32)[:, None]
    real = TensorDataset(x[:1200], torch.tensor(data.target[:1200]))
    parts = ["## Digits", "1,200 real digits of 8×8 pixels, enlarged; a row for each class."]
    first = torch.cat([x[:1200][data.target[:1200] == c][:12] for c in range(10)])
    parts.append(picture("real", first * 2 - 1, "real digits"))
    for name, steps in IMAGE_GENERATORS.items():
        begun = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gen = augsynth.fit(name, real, steps=steps, seed=0, progress=False)
        took = time.perf_counter() - begun
        batch = gen.sample(labels=[c for c in range(10) for _ in range(12)], seed=0)
        parts.append(f"### `{name}`\n\n{gen.fit_info['steps']:,} steps, {took:.0f} s here.")
        parts.append(picture(name, batch.model_x, f"samples of {name}"))
        if "vary" in gen.capabilities:
            rows = [i for c in range(10) for i in np.flatnonzero(data.target[:1200] == c)[:1]]
            varied = [x[rows]] + [gen.vary(x[rows], torch.tensor(data.target[rows]), seed=s).x for s in range(11)]
            across = torch.stack(varied, 1).flatten(0, 1)
            parts.append(
                "A real digit, and eleven variations of it:\n\n" + picture(f"{name}-vary", across * 2 - 1, "variations")
            )
    return parts


def picture(name: str, x: torch.Tensor, alternative: str) -> str:
    augsynth.image_grid(x, 12, scale=5).save(OUT / f"{name}.png")
    return f"![{alternative}](gallery/{name}.png)"


def transforms() -> list[str]:
    photo = (
        Image.fromarray(load_sample_image("flower.jpg")).resize((320, 214)).crop((60, 10, 254, 204)).resize((128, 128))
    )
    parts = ["## Transforms of images", "A photograph as it is, and seven times transformed."]
    for name, settings in TRANSFORMS.items():
        made = augsynth.create("transform", name, **settings)
        row = [photo] + [made(photo, seed=seed) for seed in range(7)]
        sheet = Image.new("RGB", (8 * 132, 128), "white")
        for i, one in enumerate(row):
            sheet.paste(one.resize((128, 128)), (132 * i, 0))
        sheet.save(OUT / f"transform-{name}.png")
        told = ", ".join(f"`{key}={value!r}`" for key, value in settings.items()) or "as it is set by itself"
        parts.append(f"### `{name}`\n\n{told}\n\n![{name}](gallery/transform-{name}.png)")
    return parts


def texts() -> list[str]:
    with QUESTIONS.open(encoding="utf-8") as file:
        rows = [tuple(row.values())[:2] for row in csv.DictReader(file)]
    parts = ["## Texts", f"{len(rows)} questions; what models make of so few is not good English, and shown as it is."]
    labels = sorted({label for _, label in rows})
    for name, steps in (("lstm", 800), ("lstm_autoencoder", 800), ("phrase_mix", None)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gen = augsynth.fit(name, rows, steps=steps, seed=0, progress=False)
        lines = [
            f"| {label} | {html.escape(text)} |"
            for label in labels[:3]
            for text in gen.sample(3, labels=label, seed=0).x
        ]
        parts.append(f"### `{name}`\n\n| label | sample |\n|---|---|\n" + "\n".join(lines))
    for name, settings in (("aeda", {}),):
        made = augsynth.create("transform", name, **settings)
        lines = [f"| {html.escape(text)} | {html.escape(made(text, seed=i))} |" for i, (text, _) in enumerate(rows[:4])]
        parts.append(f"### `{name}`\n\n| text | transformed |\n|---|---|\n" + "\n".join(lines))
    return parts


def sounds() -> list[str]:
    from augsynth.registry import default_registry

    kind = default_registry().modality("audio")
    tones = kind.tiny(120)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gen = augsynth.fit("specvae", tones, steps=400, seed=0, progress=False)
    batch = gen.sample(labels=[0, 1, 2], seed=0)
    parts = [
        "## Sounds",
        "Decaying tones of three pitches, an eighth of a second each, the suite's own; made by `specvae`:",
    ]
    return [*parts, kind.html(gen.spec, batch.model_x)]


if __name__ == "__main__":
    main()
