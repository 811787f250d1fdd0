"""Wrap a dataset of your own: fit a generator on it, then let the DataLoader mix its samples with your real ones.

    python examples/wrap_your_dataset.py

`Digits` stands for your dataset: anything with `__len__` and `__getitem__` will do. It takes about half a minute.
"""

import torch
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset

import augsynth


class Digits(Dataset):
    """20 handwritten digits of each class: float images (1, 8, 8) in [0, 1], and an int label."""

    def __init__(self):
        data = load_digits()
        rows = [i for c in range(10) for i in (data.target == c).nonzero()[0][:20]]
        self.images = torch.tensor(data.images[rows] / 16, dtype=torch.float32)[:, None]
        self.targets = data.target[rows].tolist()  # labels are found here, without reading every sample

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index], self.targets[index]


def main():
    real = Digits()
    gen = augsynth.fit("vae", real, seed=0)
    gen.save("runs/digits-vae")  # gen = augsynth.load("runs/digits-vae")

    blended = augsynth.SyntheticDataset(real, gen, ratio=0.3, seed=0)
    loader = DataLoader(blended, batch_size=50, shuffle=True, num_workers=2)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(5):
        blended.set_epoch(epoch)  # other samples in every epoch
        for x, y in loader:
            loss = torch.nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch}: loss {loss.item():.3f}")

    # where did a sample come from?
    traced = augsynth.SyntheticDataset(real, gen, ratio=0.3, seed=0, provenance=True)
    synthetic = next(meta for _, _, meta in traced if meta["synthetic"])
    print({key: synthetic[key] for key in ("plugin", "condition", "seed")})


if __name__ == "__main__":
    main()
