"""What helps a classifier of texts with few labels: TREC-6, by classifiers weak and strong.

For each seed another sample of the training questions is drawn, by class. Arms: the real questions; rewritten ones
(EDA); those that a pretrained language model writes, prompted with the real ones, all or only those to which a judge
gives the label asked for; those of the LSTM; and real questions without labels, which the judge labels. The judge is
logistic regression on frozen embeddings (MiniLM), fitted on the real questions of the seed alone. Three classifiers:
TF-IDF with logistic regression, a small convolutional network (Kim 2014), and logistic regression on the embeddings.

Generated questions that are nearly in the test set, which a pretrained model may know by heart, are counted and left
out. Prompts, thresholds and numbers were set beforehand; the test set is for nothing but the scores.

    python benchmarks/bench_few_texts.py --model gemma-3-270m.gguf --sizes 50 100
"""

from __future__ import annotations

import argparse
import time
import warnings
from typing import Any

import numpy as np
from augsynth_transformers.flaws import flaw_of
from bench_perplexity import read
from bench_text_uplift import accuracy, interval
from common import record
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

import augsynth

DESCRIPTIONS = {
    "abbreviation": "questions about an abbreviation",
    "description": "questions that ask for a description or an explanation",
    "entity": "questions about a thing, such as an animal, a colour or a product",
    "human": "questions about a person or a group of people",
    "location": "questions about a place",
    "number": "questions whose answer is a number or a date",
}
SURE = 0.8  # from which on an unlabelled question is given its label
Rows = list[tuple[str, str]]


def tf_idf(train: Rows, test: Rows) -> float:
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = LogisticRegression(C=10.0, max_iter=2000).fit(words.fit_transform([x for x, _ in train]), labels(train))
    return float(np.mean(model.predict(words.transform([x for x, _ in test])) == np.array(labels(test))))


def embedded(train: Rows, test: Rows, embed: Any) -> float:
    model = augsynth.EmbeddingClassifier(embed).fit([x for x, _ in train], labels(train))
    return float(np.mean(np.array(model.predict([x for x, _ in test])) == np.array(labels(test))))


def labels(rows: Rows) -> list[str]:
    return [y for _, y in rows]


class Remembered:
    """Embeddings that are asked for once a text."""

    def __init__(self) -> None:
        self.inner, self.known = augsynth.EmbeddingClassifier().embed.model, {}

    def encode(self, texts: list[str]) -> np.ndarray:
        new = [one for one in dict.fromkeys(texts) if one not in self.known]
        if new:
            self.known.update(zip(new, self.inner.encode(new), strict=True))
        return np.stack([self.known[one] for one in texts])


def sampled(gen: Any, number: int, seed: int, test: list[str], **options: Any) -> tuple[Rows, int]:
    """As many questions of each class, without those that are nearly in the test set, and how many these were."""
    names = gen.spec.labels.values
    made = gen.sample(labels=[names[i % len(names)] for i in range(number)], seed=seed, **options)
    rows = list(dict.fromkeys(zip(made.x, made.y, strict=True)))
    kept = [row for row in rows if flaw_of(row[0], "", test) != "copy"]
    return kept, len(rows) - len(kept)


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True, help="of the pretrained language model")
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 100])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--number", type=int, default=480, help="generated questions a seed")
    parser.add_argument("--steps", type=int, default=400, help="of the small network")
    parser.add_argument("--lora", action="store_true", help="fit an adapter, too")
    parser.add_argument("--name", default="few-texts-trec6")
    options = parser.parse_args()
    everything, test = read("trec6", "train", 10**6), read("trec6", "test", 10**6)
    asked, embed = [x for x, _ in test], Remembered()
    table: dict[str, Any] = {}
    for size in options.sizes:
        scores: dict[str, dict[str, list[float]]] = {}
        counts: list[dict[str, Any]] = []
        for seed in range(options.seeds):
            began = time.time()
            train, rest = train_test_split(everything, train_size=size, random_state=seed, stratify=labels(everything))
            judge = augsynth.EmbeddingClassifier(embed).fit([x for x, _ in train], labels(train))
            gens = {"prompted": "transformers", **({"lora": "lora"} if options.lora else {})}
            arms: dict[str, Rows] = {"real": train}
            eda = augsynth.create("transform", "eda", n_aug=16, alpha=0.05)
            arms["+ EDA"] = train + [(eda(x, seed=100 * seed + k), y) for k in range(4) for x, y in train]
            count: dict[str, Any] = {}
            for name, plugin in gens.items():
                gen = augsynth.fit(
                    plugin,
                    train,
                    model=options.model,
                    descriptions=DESCRIPTIONS,
                    seed=seed,
                    device="cpu",
                    progress=False,
                )
                count[f"{name}, seconds of the fit"] = round(gen.fit_info["seconds"])
                made, near = sampled(gen, options.number, seed, asked)
                agreed = [
                    row for row, said in zip(made, judge.predict([x for x, _ in made]), strict=True) if said == row[1]
                ]
                arms |= {f"+ {name}": train + made, f"+ {name}, agreed to by the judge": train + agreed}
                count[name] = {"made": len(made), "nearly in the test set": near, "agreed to": len(agreed)}
                print([f"{y}: {x}" for x, y in made[:12]], flush=True)
            lstm = augsynth.fit("lstm", train, seed=seed, device="cpu", progress=False)
            arms["+ LSTM"] = train + sampled(lstm, options.number, seed, asked, temperature=0.8)[0]
            unlabelled = [x for x, _ in rest[:1000]]
            sure = judge.probabilities(unlabelled)
            guessed = [
                (x, judge.labels[int(row.argmax())])
                for x, row in zip(unlabelled, sure, strict=True)
                if row.max() >= SURE
            ]
            truth = dict(rest[:1000])
            right = float(np.mean([truth[x] == y for x, y in guessed])) if guessed else float("nan")
            arms["+ pseudo-labels of 1,000 questions"] = train + guessed
            count["pseudo-labels"] = {"given": len(guessed), "right": round(right, 3)}
            counts.append(count)
            for name, rows in arms.items():
                own = scores.setdefault(name, {"TF-IDF": [], "small network": [], "embeddings": []})
                own["TF-IDF"].append(tf_idf(rows, test))
                own["small network"].append(accuracy(rows, test, options.steps, seed))
                own["embeddings"].append(embedded(rows, test, embed))
            shown = {k: {c: round(v[-1], 3) for c, v in own.items()} for k, own in scores.items()}
            print(size, seed, shown, count, f"{time.time() - began:.0f} s", flush=True)
        table[str(size)] = {"counts": counts, "arms": summary(scores)}
    record(options.name, {"model": str(options.model), "number": options.number, "steps": options.steps, **table})


def summary(scores: dict[str, dict[str, list[float]]]) -> dict[str, Any]:
    """Means, and gains over the real questions with 95 % intervals, by arm and classifier."""
    made: dict[str, Any] = {}
    for name, own in scores.items():
        for classifier, values in own.items():
            apart = [a - b for a, b in zip(values, scores["real"][classifier], strict=True)]
            made.setdefault(name, {})[classifier] = {
                "mean": round(float(np.mean(values)), 4),
                "std": round(float(np.std(values, ddof=1)), 4),
                "gain": round(float(np.mean(apart)), 4),
                "gain ±": round(interval(apart), 4),
                "scores": [round(one, 4) for one in values],
            }
    return made


if __name__ == "__main__":
    main()
