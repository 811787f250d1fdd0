"""On the device: blend after the batch has arrived there, then augment by Kornia (pip install 'augsynth[kornia]').

python examples/kornia_on_device.py
"""

import torch
from kornia.augmentation import AugmentationSequential, RandomAffine
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

import augsynth


def main():
    device = "cuda" if torch.cuda.is_available() else "cpu"
    data = load_digits()
    images = torch.tensor(data.images[:400] / 16, dtype=torch.float32)[:, None]
    real = TensorDataset(images, torch.tensor(data.target[:400]))
    gen = augsynth.fit("vae", real, steps=600, seed=0).to(device)

    loader = DataLoader(real, batch_size=64, shuffle=True, pin_memory=device == "cuda")
    on_device = [(x.to(device), y.to(device)) for x, y in loader]  # or your own loop over the loader
    augment = AugmentationSequential(RandomAffine(10, translate=(0.1, 0.1)), data_keys=["input"]).to(device)
    batches = augsynth.DeviceBlend(on_device, gen, ratio=0.5, seed=0, transform=augment)

    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
    optimizer = torch.optim.Adam(model.to(device).parameters(), lr=3e-3)
    for epoch in range(10):
        batches.set_epoch(epoch)
        for x, y in batches:
            loss = torch.nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    test = torch.tensor(data.images[400:] / 16, dtype=torch.float32, device=device)[:, None]
    right = model(test).argmax(1).cpu() == torch.tensor(data.target[400:])
    print(f"on {device}: accuracy on {len(test)} other digits {right.float().mean():.3f}")


if __name__ == "__main__":
    main()
