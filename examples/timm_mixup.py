"""timm's way of training: uint8 images, its MixUp in the collate function, soft targets (pip install timm).

python examples/timm_mixup.py
"""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset

import augsynth

augsynth.import_torchvision()  # timm imports it; this matters only where it is not of one build with torch
from timm.data import FastCollateMixup  # noqa: E402
from timm.loss import SoftTargetCrossEntropy  # noqa: E402


class Digits(Dataset):
    """As timm's loaders have them before collating: (channels, height, width) uint8 arrays."""

    def __init__(self, rows):
        data = load_digits()
        self.images = (data.images[rows] * 15.9).astype(np.uint8)[:, None]
        self.targets = data.target[rows].tolist()

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index], self.targets[index]


def main():
    train, test = Digits(slice(0, 320)), Digits(slice(320, None))
    gen = augsynth.fit("vae", train, steps=600, seed=0)
    blended = augsynth.SyntheticDataset(train, gen, ratio=0.3, seed=0)

    mixup = FastCollateMixup(mixup_alpha=0.2, cutmix_alpha=0.0, label_smoothing=0.1, num_classes=10)
    loader = DataLoader(blended, batch_size=32, shuffle=True, collate_fn=mixup, drop_last=True)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
    optimizer, loss_of = torch.optim.Adam(model.parameters(), lr=3e-3), SoftTargetCrossEntropy()
    for epoch in range(20):
        blended.set_epoch(epoch)
        for x, y in loader:  # x uint8; y (32, 10), soft
            loss = loss_of(model(x.float() / 255), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    x = torch.tensor(test.images).float() / 255
    right = model(x).argmax(1) == torch.tensor(test.targets)
    print(f"accuracy on {len(test)} other digits: {right.float().mean():.3f}")


if __name__ == "__main__":
    main()
