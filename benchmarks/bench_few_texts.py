"""What helps a classifier of texts with few labels: TREC-6 or AG News, by classifiers weak and strong.

For each seed another sample of the training texts is drawn, by class. Arms: the real texts; rewritten ones (EDA, AEDA,
phrases of another text of the class, a language model's paraphrases where the judge gives them the label of the
original); those of the LSTM; those that a pretrained language model writes, prompted with the real ones or through an
adapter (LoRA), all or only those to which a judge gives the label asked for; and real texts without labels, which the
judge labels. The judge is logistic regression on frozen embeddings (MiniLM), fitted on the real texts of the seed
alone. Three classifiers: TF-IDF with logistic regression, a small convolutional network (Kim 2014), and logistic
regression on the embeddings.

Generated texts that are nearly in the test set, which a pretrained model may know by heart, are counted and left out.
Prompts, thresholds and numbers were set beforehand; the test set is for nothing but the scores. Each draw and arm is
kept in ``--out`` with its texts, and not made again; so two processes can share the draws (``--draws 0 1 2`` beside
``--draws 3 4``). Arms of which all draws are there are recorded, others keep what is on record.

    python benchmarks/bench_few_texts.py --model gemma-3-270m.gguf --data trec6 --sizes 50 100
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from augsynth_transformers.flaws import flaw_of
from bench_perplexity import read
from bench_text_uplift import accuracy, interval
from common import RESULTS, record
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

import augsynth

DESCRIPTIONS = {
    "trec6": {
        "abbreviation": "questions about an abbreviation",
        "description": "questions that ask for a description or an explanation",
        "entity": "questions about a thing, such as an animal, a colour or a product",
        "human": "questions about a person or a group of people",
        "location": "questions about a place",
        "number": "questions whose answer is a number or a date",
    },
    "ag_news": {
        "Business": "news about business and the economy",
        "Sci/Tech": "news about science and technology",
        "Sports": "news about sports",
        "World": "news about world politics and conflicts",
    },
}
SURE = 0.8  # from which on an unlabelled text is given its label
UNLABELLED, COPIES, PARAPHRASES = 1000, 4, 2  # texts without labels, and rewritten ones of each real one
ARMS = ("eda", "aeda", "phrase_mix", "paraphrase", "lstm", "pseudo-labels", "prompted", "lora")
Rows = list[tuple[str, str]]


def texts(rows: Rows) -> list[str]:
    return [x for x, _ in rows]


def labels(rows: Rows) -> list[str]:
    return [y for _, y in rows]


def tf_idf(train: Rows, test: Rows) -> float:
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = LogisticRegression(C=10.0, max_iter=2000).fit(words.fit_transform(texts(train)), labels(train))
    return float(np.mean(model.predict(words.transform(texts(test))) == np.array(labels(test))))


def embedded(train: Rows, test: Rows, embed: Any) -> float:
    model = augsynth.EmbeddingClassifier(embed).fit(texts(train), labels(train))
    return float(np.mean(np.array(model.predict(texts(test))) == np.array(labels(test))))


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
    """As many texts of each class, without those that are nearly in the test set, and how many these were."""
    names = gen.spec.labels.values
    made = gen.sample(labels=[names[i % len(names)] for i in range(number)], seed=seed, **options)
    rows = list(dict.fromkeys(zip(made.x, made.y, strict=True)))
    kept = [row for row in rows if flaw_of(row[0], "", test) != "copy"]
    return kept, len(rows) - len(kept)


class Draw:
    """One sample of the training texts, and what each arm adds to it."""

    def __init__(self, size: int, seed: int, everything: Rows, test: Rows, embed: Any, options: Any) -> None:
        self.seed, self.asked, self.options = seed, texts(test), options
        parts = train_test_split(everything, train_size=size, random_state=seed, stratify=labels(everything))
        self.train: Rows = parts[0]
        self.unlabelled: Rows = parts[1][:UNLABELLED]
        self.judge = augsynth.EmbeddingClassifier(embed).fit(texts(self.train), labels(self.train))

    def added(self, arm: str) -> tuple[Rows, dict[str, Any]]:
        """Rows that an arm adds, and what there is to say of them."""
        began = time.time()
        if arm in ("eda", "aeda"):
            # what the paper of EDA recommends for up to 500 texts
            rewrite = augsynth.create("transform", arm, **({"n_aug": 16, "alpha": 0.05} if arm == "eda" else {}))
            seeds = [100 * self.seed + k for k in range(COPIES)]
            return [(rewrite(x, seed=seed), y) for seed in seeds for x, y in self.train], {}
        if arm == "paraphrase":
            told = {"name": "paraphrase", "model": self.options.model}
            rewrite = augsynth.create("transform", "checked", transform=told, classifier=self.judge, tries=2)
            rows = self.train * PARAPHRASES
            made = rewrite.many(texts(rows), [1000 * self.seed + i for i in range(len(rows))])
            other = [(x, y) for x, (old, y) in zip(made, rows, strict=True) if x != old]
            return other, {"seconds to sample": round(time.time() - began)}
        if arm == "phrase_mix":
            mix = augsynth.fit("phrase_mix", self.train, seed=self.seed, device="cpu", progress=False)
            rows = self.train * COPIES
            return list(zip(mix.vary(texts(rows), labels(rows), seed=self.seed).x, labels(rows), strict=True)), {}
        if arm == "pseudo-labels":
            sure = self.judge.probabilities(texts(self.unlabelled))
            said = [self.judge.labels[int(row.argmax())] for row in sure]
            kept = [i for i, row in enumerate(sure) if row.max() >= SURE]
            right = [said[i] == self.unlabelled[i][1] for i in kept]
            return [(self.unlabelled[i][0], said[i]) for i in kept], {"right": round(float(np.mean(right or [0])), 3)}
        common = {"seed": self.seed, "device": "cpu", "progress": False}
        if arm == "lstm":
            gen, sampling = augsynth.fit("lstm", self.train, **common), {"temperature": 0.8}
        else:
            told = {"model": self.options.model, "descriptions": DESCRIPTIONS[self.options.data]}
            plugin = {"prompted": "transformers"}.get(arm, arm)
            gen, sampling = augsynth.fit(plugin, self.train, **told, **common), {}
        fitted = time.time()
        rows, near = sampled(gen, self.options.number, self.seed, self.asked, **sampling)
        spent = {"seconds to fit": round(fitted - began), "seconds to sample": round(time.time() - fitted)}
        return rows, {"nearly in the test set": near, **spent}

    def agreed(self, rows: Rows) -> Rows:
        """Those to which the judge gives the label asked for."""
        said = self.judge.predict(texts(rows)) if rows else []
        return [row for row, label in zip(rows, said, strict=True) if label == row[1]]


def scores(rows: Rows, test: Rows, embed: Any, steps: int, seed: int) -> dict[str, float]:
    return {
        "TF-IDF": tf_idf(rows, test),
        "small network": accuracy(rows, test, steps, seed),
        "embeddings": embedded(rows, test, embed),
    }


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", help="of the pretrained language model; not needed for the other arms")
    parser.add_argument("--data", choices=list(DESCRIPTIONS), default="trec6")
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 100])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--draws", type=int, nargs="+", help="which of the seeds to make now; all if not given")
    parser.add_argument("--number", type=int, default=360, help="generated texts a seed")
    parser.add_argument("--steps", type=int, default=400, help="of the small network")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=[one for one in ARMS if one != "lora"])
    parser.add_argument("--out", type=Path, default=Path("runs/few-texts"), help="what was made stays here")
    options = parser.parse_args()
    everything, test = read(options.data, "train", 10**6), read(options.data, "test", 10**6)
    embed = Remembered()
    options.out.mkdir(parents=True, exist_ok=True)
    for size in options.sizes:
        for seed in options.draws or range(options.seeds):
            draw = Draw(size, seed, everything, test, embed, options)
            for arm in ("real", *options.arms):
                file = options.out / f"{options.data}-{size}-{seed}-{arm}.json"
                if file.is_file():
                    continue
                rows, told = draw.added(arm) if arm != "real" else ([], {})
                common = (test, embed, options.steps, seed)
                found = {"all": {"count": len(rows), "scores": scores(draw.train + rows, *common)}}
                if arm in ("prompted", "lora"):
                    kept = draw.agreed(rows)
                    found["agreed"] = {"count": len(kept), "scores": scores(draw.train + kept, *common)}
                file.write_text(json.dumps({**found, "told": told, "rows": rows}, indent=1, ensure_ascii=False))
                print(size, seed, arm, json.dumps(found), told, flush=True)
    name, told = f"few-texts-{options.data}", {"model": Path(options.model or "none").stem, "steps": options.steps}
    file = RESULTS / f"{name}.json"
    before = json.loads(file.read_text())["figures"] if file.is_file() else {}
    now = table(options)
    sizes = sorted({size for size in (*before, *now) if size.isdigit()}, key=int)
    merged = {size: {**before.get(size, {}), **now.get(size, {})} for size in sizes}
    record(name, {**told, "number": options.number, **merged})


def table(options: Any) -> dict[str, Any]:
    """Of all draws and arms that are there: means, and gains over the real texts with 95 % intervals."""
    made: dict[str, Any] = {}
    for size in options.sizes:
        for arm in ("real", *ARMS):
            files = [options.out / f"{options.data}-{size}-{seed}-{arm}.json" for seed in range(options.seeds)]
            if not all(file.is_file() for file in files):
                continue
            draws = [json.loads(file.read_text()) for file in files]
            real = [json.loads(Path(str(file).replace(f"-{arm}.json", "-real.json")).read_text()) for file in files]
            for which in [one for one in ("all", "agreed") if one in draws[0]]:
                name = f"+ {arm}" + (", agreed to by the judge" if which == "agreed" else "")
                row: dict[str, Any] = {"texts added": [one[which]["count"] for one in draws]}
                for key in draws[0]["told"]:
                    row[key] = [one["told"][key] for one in draws]
                for classifier in draws[0][which]["scores"]:
                    own = [one[which]["scores"][classifier] for one in draws]
                    apart = [a - b["all"]["scores"][classifier] for a, b in zip(own, real, strict=True)]
                    row[classifier] = {
                        "mean": round(float(np.mean(own)), 4),
                        "std": round(float(np.std(own, ddof=1)), 4),
                        "gain": round(float(np.mean(apart)), 4),
                        "gain ±": round(interval(apart), 4),
                        "scores": [round(one, 4) for one in own],
                    }
                made.setdefault(str(size), {})["real" if arm == "real" else name] = row
    return made


if __name__ == "__main__":
    main()
