"""With a WeightedRandomSampler: rare classes are drawn more often, and a share of what is drawn is generated.

python examples/weighted_sampler.py
"""

import torch
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

import augsynth


def main():
    data = load_digits()
    sizes = [60, 60, 60, 60, 60, 20, 20, 20, 8, 8]
    rows = [i for c, n in enumerate(sizes) for i in (data.target == c).nonzero()[0][:n]]
    images = torch.tensor(data.images[rows] / 16, dtype=torch.float32)[:, None]
    real = TensorDataset(images, torch.tensor(data.target[rows]))

    gen = augsynth.fit("vae", real, steps=600, seed=0)
    # of a class that is drawn ten times as often as it is there, nine tenths are generated
    ratio = {c: 1 - n / max(sizes) for c, n in enumerate(sizes)}
    blended = augsynth.SyntheticDataset(real, gen, ratio=ratio, seed=0, provenance=True)

    weights = [1 / sizes[int(y)] for _, y in real]
    sampler = WeightedRandomSampler(weights, len(real), generator=torch.Generator().manual_seed(0))
    loader = DataLoader(blended, batch_size=64, sampler=sampler)
    for epoch in range(3):
        blended.set_epoch(epoch)
        drawn, made = torch.zeros(10), torch.zeros(10)
        for _, y, meta in loader:
            drawn += torch.bincount(y, minlength=10)
            made += torch.bincount(y, weights=meta["synthetic"].float(), minlength=10)
    print("class      " + "".join(f"{c:>6}" for c in range(10)))
    print("there are  " + "".join(f"{n:>6}" for n in sizes))
    print("drawn      " + "".join(f"{int(n):>6}" for n in drawn))
    print("generated  " + "".join(f"{int(n):>6}" for n in made))


if __name__ == "__main__":
    main()
