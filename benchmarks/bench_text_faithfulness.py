"""Do generated texts speak of their label, and do they copy?

The judge is TF-IDF with a logistic regression, fitted on all real training texts. Copying: the longest run of words
that a text shares with any training text, of generated texts beside real ones held out.
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np
from bench_perplexity import read
from common import record
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import augsynth


def longest_shared(texts: list[str], train: list[str], most: int = 60) -> list[int]:
    """For each text the number of words of its longest run that stands in a training text."""
    words = [text.lower().split() for text in train]
    runs = {tuple(own[i : i + n]) for own in words for n in range(1, most + 1) for i in range(len(own) - n + 1)}
    found = []
    for text in texts:
        own = text.lower().split()
        lengths = [n for n in range(1, most + 1) if any(tuple(own[i : i + n]) in runs for i in range(len(own) - n + 1))]
        found.append(max(lengths, default=0))
    return found


def described(lengths: list[int], whole: float) -> dict[str, float]:
    quantiles = np.quantile(lengths, [0.5, 0.9, 0.99])
    return {
        "median": float(quantiles[0]),
        "90 %": float(quantiles[1]),
        "99 %": float(quantiles[2]),
        "longest": float(max(lengths)),
        "share that is a training text": whole,
    }


def copied(texts: list[str], train: list[str]) -> float:
    known = {" ".join(text.lower().split()) for text in train}
    return round(sum(" ".join(text.lower().split()) in known for text in texts) / len(texts), 4)


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="trec6")
    parser.add_argument("--per-class", type=int, default=100, help="samples a class")
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--top-p", type=float, default=0.95)
    parser.add_argument("--generator", help="folder of one fitted on all of the training texts, to save the time")
    options = parser.parse_args()
    train, test = read(options.data, "train", 10**6), read(options.data, "test", 10**6)
    gen = (
        augsynth.load(options.generator)
        if options.generator
        else augsynth.fit("lstm", train, seed=0, device="cpu", progress=False)
    )
    texts, labels = [list(column) for column in zip(*train, strict=True)]
    judge = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=10, max_iter=500)
    )
    judge.fit(texts, labels)
    wanted = [label for label in gen.spec.labels.values for _ in range(options.per_class)]
    made = gen.sample(labels=wanted, seed=0, temperature=options.temperature, top_p=options.top_p).x
    said = judge.predict(made)
    held_out = [x for x, _ in test]
    figures = {
        "sampling": {"temperature": options.temperature, "top_p": options.top_p, "per class": options.per_class},
        "accuracy of the judge on real test texts": round(float(judge.score(held_out, [y for _, y in test])), 4),
        "agreement with the requested label": round(float(np.mean(said == np.array(wanted))), 4),
        "by class": {
            label: round(float(np.mean(said[np.array(wanted) == label] == label)), 3)
            for label in gen.spec.labels.values
        },
        "longest run of words shared with the training texts": {
            "generated": described(longest_shared(made, texts), copied(made, texts)),
            "real, held out": described(longest_shared(held_out, texts), copied(held_out, texts)),
        },
    }
    record(f"text-faithfulness-{options.data}", figures)


if __name__ == "__main__":
    main()
