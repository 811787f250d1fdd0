"""A text classifier with few labels: real questions, and the same with generated and rewritten ones mixed in.

    python examples/text_classifier.py [TRAIN.csv TEST.csv]

The files have the columns text and label, such as TREC-6's; without them, 72 questions in `data/` are split in two.
It takes a few seconds, and says for the seeds it ran whether mixing helped. With so few texts, expect that it may not.
"""

import sys
from itertools import pairwise
from pathlib import Path

import torch
from torch.utils.data import DataLoader

import augsynth
from augsynth.datasets.named import open_dataset

STEPS, BATCH = 150, 16


def data():
    if len(sys.argv) > 2:
        return (list(open_dataset(file, text="text", label="label")) for file in sys.argv[1:3])
    questions = list(open_dataset(str(Path(__file__).parent / "data/questions.csv"), text="text", label="label"))
    return questions[::2], questions[1::2]


class BagOfWords(torch.nn.Module):
    """Counts of hashed words and pairs of words, and a linear layer."""

    def __init__(self, classes):
        super().__init__()
        self.classes = classes
        self.embed = torch.nn.EmbeddingBag(4096, len(classes), mode="mean")
        torch.nn.init.zeros_(self.embed.weight)

    def forward(self, texts):
        rows = [self.hashed(text.lower().split()) for text in texts]
        offsets = torch.tensor([0, *map(len, rows[:-1])]).cumsum(0)
        return self.embed(torch.tensor([i for row in rows for i in row]), offsets)

    @staticmethod
    def hashed(words):
        pieces = [*words, *map(" ".join, pairwise(words))] or [""]
        return [sum(ord(c) * 31**i for i, c in enumerate(piece)) % 4096 for piece in pieces]


def accuracy(train, test, seed):
    """Test accuracy of a classifier fitted for the same number of steps, whatever the data."""
    torch.manual_seed(seed)
    model = BagOfWords(sorted({label for _, label in test}))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    loader = DataLoader(train, batch_size=BATCH, shuffle=True, drop_last=True)
    step, epoch = 0, 0
    while step < STEPS:
        if hasattr(train, "set_epoch"):
            train.set_epoch(epoch)
        for texts, labels in loader:
            target = torch.tensor([model.classes.index(label) for label in labels])
            loss = torch.nn.functional.cross_entropy(model(texts), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            if step == STEPS:
                break
        epoch += 1
    with torch.no_grad():
        predicted = model([text for text, _ in test]).argmax(1).tolist()
    return sum(model.classes[p] == label for p, (_, label) in zip(predicted, test, strict=True)) / len(test)


def main():
    train, test = data()
    gen = augsynth.fit("lstm", train, seed=0)
    for label in gen.spec.labels.values:
        print(f"{label}: {gen.sample(1, labels=label, temperature=0.7, seed=3).x[0]}")
    rewrite = augsynth.create("transform", "aeda")
    arms = {
        "real": lambda seed: train,
        "real, rewritten by aeda": lambda seed: augsynth.SyntheticDataset(
            train, gen, ratio=0.0, transform=rewrite, seed=seed
        ),
        "30 % generated": lambda seed: augsynth.SyntheticDataset(train, gen, ratio=0.3, temperature=0.7, seed=seed),
    }
    for name, make in arms.items():
        scores = torch.tensor([accuracy(make(seed), test, seed) for seed in range(3)])
        print(f"{name:25} accuracy {scores.mean():.3f} ± {scores.std():.3f}")


if __name__ == "__main__":
    main()
