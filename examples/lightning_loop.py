"""The same in a Lightning training loop (pip install lightning): one callback sets the epoch, nothing else changes.

python examples/lightning_loop.py
"""

import torch
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Subset, TensorDataset

import augsynth

augsynth.import_torchvision()  # Lightning imports it; this matters only where it is not of one build with torch
import lightning  # noqa: E402


class SetEpoch(lightning.Callback):
    """Tell the blend which epoch it is: Lightning does so for samplers, not for datasets."""

    def on_train_epoch_start(self, trainer, module):
        trainer.train_dataloader.dataset.set_epoch(trainer.current_epoch)


class Classifier(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(
            torch.nn.Flatten(), torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10)
        )

    def training_step(self, batch):
        x, y = batch
        return torch.nn.functional.cross_entropy(self.net(x), y)

    def validation_step(self, batch):
        x, y = batch
        self.log("accuracy", (self.net(x).argmax(1) == y).float().mean(), prog_bar=True)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=3e-3)


def main():
    data = load_digits()
    digits = TensorDataset(torch.tensor(data.images / 16, dtype=torch.float32)[:, None], torch.tensor(data.target))
    train, test = Subset(digits, range(300)), Subset(digits, range(300, len(digits)))
    gen = augsynth.fit("vae", train, steps=600, seed=0)
    blended = augsynth.SyntheticDataset(train, gen, ratio=0.3, seed=0)

    lightning.seed_everything(0)
    trainer = lightning.Trainer(
        max_epochs=20, callbacks=[SetEpoch()], logger=False, enable_checkpointing=False, log_every_n_steps=1
    )
    trainer.fit(
        Classifier(),
        DataLoader(blended, batch_size=32, shuffle=True),
        DataLoader(test, batch_size=len(test)),
    )
    print(f"accuracy on {len(test)} other digits: {trainer.callback_metrics['accuracy']:.3f}")


if __name__ == "__main__":
    main()
