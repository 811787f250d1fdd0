"""A stream of WebDataset shards, blended (pip install webdataset).

python examples/webdataset_in.py
"""

import io
from pathlib import Path

import numpy as np
import torch
import webdataset
from PIL import Image
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader

import augsynth


def write_shards(folder):
    """Three shards of a hundred digits each, as they might lie in a bucket."""
    folder.mkdir(parents=True, exist_ok=True)
    data = load_digits()
    for shard in range(3):
        with webdataset.TarWriter(str(folder / f"digits-{shard}.tar")) as out:
            for i in range(100 * shard, 100 * shard + 100):
                file = io.BytesIO()
                Image.fromarray((data.images[i] * 15.9).astype(np.uint8)).save(file, "png")
                out.write({"__key__": f"{i:05}", "png": file.getvalue(), "cls": str(data.target[i])})


def as_sample(sample):
    image, label = sample
    return torch.from_numpy(image)[None], int(label)  # (1, 8, 8) uint8


def main():
    folder = Path("runs/shards")
    write_shards(folder)
    shards = sorted(map(str, folder.glob("*.tar")))
    stream = webdataset.WebDataset(shards, shardshuffle=False).decode("l8").to_tuple("png", "cls").map(as_sample)

    gen = augsynth.fit("vae", list(stream), steps=600, seed=0)
    # WebDataset deals its shards out to the workers by itself, and the blend knows
    blended = augsynth.SyntheticIterableDataset(stream, gen, ratio=0.3, seed=0, provenance=True)
    for epoch in range(2):
        blended.set_epoch(epoch)
        made = total = 0
        for x, _y, meta in DataLoader(blended, batch_size=50, num_workers=3):
            made, total = made + int(meta["synthetic"].sum()), total + len(x)
        print(f"epoch {epoch}: {total} samples, {made} of them generated, batches of {x.dtype} {tuple(x.shape[1:])}")


if __name__ == "__main__":
    main()
