"""Speed of text: sampling in batches against one at a time, our transforms against nlpaug's, and the blended loader.

nlpaug's operations have the same rate, one in ten words and at least one. It has nothing that inserts punctuation; the
nearest operation, words replaced by marks drawn from the same list, stands for it.
"""

from __future__ import annotations

import statistics
import warnings
from pathlib import Path

import nlpaug.augmenter.word as naw
import nltk.data
from common import in_turns, median_ratio, record
from torch.utils.data import DataLoader

import augsynth
from augsynth.modalities.text.tiny import TinyTexts

if (shared := Path(__file__).parents[2] / "shared" / "nltk_data").is_dir():
    nltk.data.path.insert(0, str(shared))

SENTENCES = [
    "What is the name of the river that runs through the capital of Austria ?",
    "Stocks rose on Wednesday as oil prices fell and investors bought shares of large banks .",
    "Who was the first person to reach the top of the highest mountain in the world ?",
    "The company said it would close two plants and cut four hundred jobs by next summer .",
] * 25


def on_all(transform, seeded: bool):
    def run():
        for i, text in enumerate(SENTENCES):
            transform(text, seed=i) if seeded else transform.augment(text)

    return run


def transforms() -> dict:
    rate = {"aug_p": 0.1, "aug_min": 1}
    pairs = {
        "eda swap": (
            augsynth.create("transform", "eda", operations=["swap"]),
            naw.RandomWordAug(action="swap", **rate),
        ),
        "eda delete": (
            augsynth.create("transform", "eda", operations=["delete"]),
            naw.RandomWordAug(action="delete", **rate),
        ),
        "eda synonym": (
            augsynth.create("transform", "eda", operations=["synonym"]),
            naw.SynonymAug(aug_src="wordnet", **rate),
        ),
        "aeda": (
            augsynth.create("transform", "aeda", ratio=0.1),
            naw.RandomWordAug(action="substitute", target_words=[".", ";", "?", ":", "!", ","], **rate),
        ),
    }
    figures = {}
    for name, (ours, theirs) in pairs.items():
        times = in_turns({"ours": on_all(ours, True), "nlpaug": on_all(theirs, False)}, repeats=11)
        figures[name] = {
            "us a sentence": statistics.median(times["ours"]) / len(SENTENCES) * 1e6,
            "times as fast as nlpaug": median_ratio(times["nlpaug"], times["ours"]),
        }
    return figures


def sampling(gen) -> dict:
    def batch():
        gen.sample(256, seed=0)

    def singly():
        for i in range(16):
            gen.sample(1, seed=i)

    times = in_turns({"batch": batch, "singly": singly}, repeats=7)
    return {
        "samples/s in batches of 256": 256 / statistics.median(times["batch"]),
        "times as fast as one at a time": median_ratio(
            [t / 16 for t in times["singly"]], [t / 256 for t in times["batch"]]
        ),
    }


def loader(gen, data) -> dict:
    blended = augsynth.SyntheticDataset(data, gen, ratio=0.5, transform=augsynth.create("transform", "aeda"), seed=0)
    bare = augsynth.SyntheticDataset(data, gen, ratio=0.0, transform=augsynth.create("transform", "aeda"), seed=0)

    def read(dataset):
        def run():
            dataset.set_epoch((dataset.epoch + 1) % 1000)
            for _ in DataLoader(dataset, batch_size=256):
                pass

        return run

    def sample():
        for i in range(0, len(data), 256):
            gen.sample(labels=data.targets[i : i + 256][::2], seed=i)

    times = in_turns({"half": read(blended), "bare": read(bare), "sample": sample}, repeats=9)
    shares = [
        (0.5 * bare + drawn) / half
        for half, bare, drawn in zip(times["half"], times["bare"], times["sample"], strict=True)
    ]
    return {"share of the bound": statistics.median(shares), "quartiles": statistics.quantiles(shares, n=4)[::2]}


def main() -> None:
    warnings.simplefilter("ignore")
    data = TinyTexts(2560)
    gen = augsynth.fit("lstm", data, steps=100, progress=False, device="cpu")
    record(
        "text",
        {"transforms": transforms(), "sampling": sampling(gen), "loader, ratio 0.5 with aeda": loader(gen, data)},
    )


if __name__ == "__main__":
    main()
