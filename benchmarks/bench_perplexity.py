"""Perplexity of the LSTM on held-out text beside an interpolated Kneser-Ney trigram (NLTK), on the same tokens.

Both see the same training texts, cut into the same tokens by the LSTM's tokenizer. Tokens that the training texts do
not have stand in the context, and are not scored.
"""

from __future__ import annotations

import argparse
import csv
import math
import random
import warnings
from pathlib import Path

import torch
from common import record
from nltk.lm import KneserNeyInterpolated
from nltk.lm.preprocessing import padded_everygram_pipeline

import augsynth

DATA = Path(__file__).parents[2] / "shared" / "data"
ORDER, UNKNOWN = 3, "<unk>"


def read(name: str, split: str, most: int) -> list[tuple[str, str]]:
    path = DATA / name / f"{split}.csv"
    if not path.is_file():
        raise SystemExit(f"{path} is not there: this benchmark needs the columns text and label in it")
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], row["label"]) for row in csv.DictReader(file)]
    random.Random(0).shuffle(rows)
    return rows[:most]


def trigram_perplexity(train: list[list[str]], test: list[list[str]]) -> float:
    grams, words = padded_everygram_pipeline(ORDER, train)
    model = KneserNeyInterpolated(ORDER)
    model.fit(grams, words)
    total, count = 0.0, 0
    for tokens in test:
        padded = ["<s>"] * (ORDER - 1) + tokens + ["</s>"]
        for i in range(ORDER - 1, len(padded)):
            if padded[i] == UNKNOWN:
                continue
            total += model.logscore(padded[i], padded[i - ORDER + 1 : i]) * math.log(2)
            count += 1
    return math.exp(-total / count)


def lstm_perplexity(gen, test: list[tuple[str, str]]) -> float:
    total, count = 0.0, 0
    with torch.no_grad():
        for start in range(0, len(test), 100):
            part = test[start : start + 100]
            ids = gen._ids([x for x, _ in part], None)
            losses, mask = gen._losses(ids, gen.spec.labels.indices([y for _, y in part])[:, None])
            known = mask & (ids[:, 1:] != gen.tokenizer.token_to_id(UNKNOWN))
            total, count = total + float(losses[known].sum()), count + int(known.sum())
    return math.exp(total / count)


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="trec6")
    parser.add_argument("--train", type=int, default=100_000, help="at most so many training texts")
    parser.add_argument("--test", type=int, default=500)
    parser.add_argument("--generator", help="folder of one fitted on all of the training texts, to save the time")
    options = parser.parse_args()
    train, test = read(options.data, "train", options.train), read(options.data, "test", options.test)
    if options.generator:
        gen = augsynth.load(options.generator)
    else:
        gen = augsynth.fit("lstm", train, seed=0, device="cpu", level="word", progress=False)
    figures = {
        "texts": {"train": len(train), "test": len(test)},
        "vocabulary": gen.tokenizer.get_vocab_size(),
        "steps": gen.fit_info["steps"],
        "seconds": gen.fit_info["seconds"],
        "perplexity of the lstm": lstm_perplexity(gen, test),
        "the same by class, unknown tokens scored": gen.perplexity([x for x, _ in test], [y for _, y in test]),
    }
    cut = [[encoding.tokens for encoding in gen.tokenizer.encode_batch([x for x, _ in rows])] for rows in (train, test)]
    figures["perplexity of the trigram"] = trigram_perplexity(*cut)
    print(figures)
    record(f"perplexity-{options.data}", figures)


if __name__ == "__main__":
    main()
