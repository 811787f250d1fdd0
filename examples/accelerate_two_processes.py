"""Two processes by accelerate: each gets its share of the epoch, and no sample twice (pip install accelerate).

python examples/accelerate_two_processes.py    # fits a generator, then launches itself in two processes
"""

import subprocess
import sys

import torch
from accelerate import Accelerator
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

import augsynth


def train():
    accelerator = Accelerator(cpu=True)
    data = load_digits()
    images = torch.tensor(data.images / 16, dtype=torch.float32)[:, None]
    real = TensorDataset(images[:320], torch.tensor(data.target[:320]))
    gen = augsynth.load("runs/accelerate-vae")  # fitted once, below; every process loads it
    blended = augsynth.SyntheticDataset(real, gen, ratio=0.5, seed=0, provenance=True)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    loader = DataLoader(blended, batch_size=32, shuffle=True)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)

    for epoch in range(15):
        blended.set_epoch(epoch)
        seeds = []
        for x, y, meta in loader:
            loss = torch.nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            accelerator.backward(loss)
            optimizer.step()
            seeds += [int(s) for s, made in zip(meta["seed"], meta["synthetic"], strict=True) if made]
    gathered = accelerator.gather_for_metrics(seeds, use_gather_object=True)
    right = (model(images[320:]).argmax(1) == torch.tensor(data.target[320:])).float().mean()
    accelerator.print(f"{accelerator.num_processes} processes: {len(gathered)} generated samples in the last epoch, ")
    accelerator.print(f"{len(set(gathered))} of them different; accuracy on other digits {right:.3f}")
    accelerator.end_training()  # a process that exits while the other still talks to it can take that one down


def main():
    data = load_digits()
    images = torch.tensor(data.images[:320] / 16, dtype=torch.float32)[:, None]
    gen = augsynth.fit("vae", TensorDataset(images, torch.tensor(data.target[:320])), steps=600, seed=0)
    gen.save("runs/accelerate-vae")
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", __file__, "train"]
    subprocess.run([sys.executable, *launch], check=True)  # or: accelerate launch


if __name__ == "__main__":
    train() if "train" in sys.argv else main()
