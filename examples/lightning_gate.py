"""Lightning with a gate that turns the synthetic share down where it does harm (pip install lightning).

python examples/lightning_gate.py
"""

import torch
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Subset, TensorDataset

import augsynth

augsynth.import_torchvision()  # Lightning imports it; this matters only where it is not of one build with torch
import lightning  # noqa: E402


class SetEpoch(lightning.Callback):
    def on_train_epoch_start(self, trainer, module):
        trainer.train_dataloader.dataset.set_epoch(trainer.current_epoch)


class Classifier(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(
            torch.nn.Flatten(), torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10)
        )

    def training_step(self, batch):
        return loss_of(self, batch)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=3e-3)


def loss_of(module, batch):
    x, y = batch
    return torch.nn.functional.cross_entropy(module.net(x), y)


def main():
    data = load_digits()
    digits = TensorDataset(torch.tensor(data.images / 16, dtype=torch.float32)[:, None], torch.tensor(data.target))
    train, validation = Subset(digits, range(300)), Subset(digits, range(300, 600))
    gen = augsynth.fit("vae", train, steps=60, seed=0)  # far too few: its samples are mush
    blended = augsynth.SyntheticDataset(train, gen, ratio=0.7, seed=0)
    gate = augsynth.UtilityGate(blended, DataLoader(validation, batch_size=100), loss=loss_of, seed=0)

    lightning.seed_everything(0)
    trainer = lightning.Trainer(
        max_epochs=10, callbacks=[SetEpoch(), gate.lightning()], logger=False, enable_checkpointing=False,
        log_every_n_steps=1, enable_progress_bar=False,
    )  # fmt: skip
    trainer.fit(Classifier(), DataLoader(blended, batch_size=32, shuffle=True))
    print("the synthetic share, by what the gate found: " + ", ".join(f"{0.7 * p.scale:.2f}" for p in gate.history))


if __name__ == "__main__":
    main()
