"""Hugging Face Trainer: samples are dicts, and one callback sets the epoch (pip install transformers accelerate).

python examples/huggingface_trainer.py
"""

import torch
from sklearn.datasets import load_digits

import augsynth

augsynth.import_torchvision()  # Trainer imports it; this matters only where it is not of one build with torch
from transformers import Trainer, TrainerCallback, TrainingArguments  # noqa: E402


class Digits(torch.utils.data.Dataset):
    """Dicts, as processors make them; the model takes their keys as arguments."""

    def __init__(self, rows):
        data = load_digits()
        self.images = torch.tensor(data.images[rows] / 16, dtype=torch.float32)[:, None]
        self.targets = data.target[rows].tolist()

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return {"pixel_values": self.images[index], "labels": self.targets[index]}


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(
            torch.nn.Flatten(), torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10)
        )

    def forward(self, pixel_values, labels=None):
        logits = self.net(pixel_values)
        return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}


class SetEpoch(TrainerCallback):
    def on_epoch_begin(self, args, state, control, train_dataloader=None, **_):
        train_dataloader.dataset.set_epoch(int(state.epoch or 0))


def main():
    train, test = Digits(slice(0, 300)), Digits(slice(300, None))
    fields = {"x": "pixel_values", "y": "labels"}
    gen = augsynth.fit("vae", train, steps=600, seed=0, fields=fields)
    blended = augsynth.SyntheticDataset(train, gen, ratio=0.3, seed=0, fields=fields)

    arguments = TrainingArguments(
        "runs/trainer", num_train_epochs=20, per_device_train_batch_size=32, learning_rate=3e-3, report_to=[],
        save_strategy="no", logging_strategy="no", disable_tqdm=True, use_cpu=not torch.cuda.is_available(),
    )  # fmt: skip
    trainer = Trainer(Model(), arguments, train_dataset=blended, eval_dataset=test, callbacks=[SetEpoch()])
    trainer.train()
    predicted = trainer.predict(test)
    accuracy = (predicted.predictions.argmax(1) == predicted.label_ids).mean()
    print(f"accuracy on {len(test)} other digits: {accuracy:.3f}")


if __name__ == "__main__":
    main()
