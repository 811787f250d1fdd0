"""What a classifier learns from private texts alone: TREC-6, a language model's adapter fitted by DP-SGD.

Two generators make as many questions of each class: the base model, which saw no question and is told the descriptions
of the classes (``public``); and its adapter, fitted on all training questions under a budget. Beside them stands a
classifier of the real questions. Scores are on the test file: TF-IDF with logistic regression, and logistic regression
on frozen embeddings (MiniLM). Steps, rank and rate were set beforehand.

    python benchmarks/bench_private_text.py --model gemma-3-270m.gguf --epsilon 8
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path
from typing import Any

from bench_few_texts import DESCRIPTIONS, Remembered, embedded, sampled, texts, tf_idf
from bench_perplexity import read
from common import record

import augsynth

DELTA = 1e-5


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True, help="of the pretrained language model")
    parser.add_argument("--epsilon", type=float, nargs="*", default=[8.0])
    parser.add_argument("--number", type=int, default=300, help="generated texts")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--out", type=Path, default=Path("runs/private-text"), help="what was made stays here")
    options = parser.parse_args()
    everything, test = read("trec6", "train", 10**6), read("trec6", "test", 10**6)
    embed = Remembered()
    options.out.mkdir(parents=True, exist_ok=True)

    def scored(rows: Any) -> dict[str, float]:
        return {"TF-IDF": tf_idf(rows, test), "embeddings": embedded(rows, test, embed)}

    found: dict[str, Any] = {"real": [{"count": len(everything), "scores": scored(everything)}]}
    print("real", found["real"], flush=True)
    for seed in range(options.seeds):
        for epsilon in (None, *options.epsilon):
            name = "public" if epsilon is None else f"epsilon {epsilon:g}"
            file = options.out / f"{name}-{seed}.json"
            if not file.is_file():
                began = time.time()
                given: dict[str, Any] = {"steps": 1, "lr": 1e-12, "rank": 1}  # as good as no step
                if epsilon is not None:
                    given = {"steps": options.steps, "batch_size": options.batch_size, "lr": options.lr, "rank": 4}
                    given["privacy"] = augsynth.Privacy(epsilon, DELTA)
                gen = augsynth.fit(
                    "lora",
                    everything if epsilon is not None else everything[:12],
                    model=options.model,
                    descriptions=DESCRIPTIONS["trec6"],
                    seed=seed,
                    longest=40,
                    progress=False,
                    **given,
                )
                seconds = round(time.time() - began)
                print(name, seed, "fitted in", seconds, "s", flush=True)
                rows, left_out = sampled(gen, options.number, seed, texts(test))
                told = {"seconds": seconds, "near the test set": left_out, "privacy": gen.fit_info.get("privacy")}
                made = {"count": len(rows), "scores": scored(rows), **told, "rows": rows}
                file.write_text(json.dumps(made, indent=1, ensure_ascii=False))
            one = json.loads(file.read_text())
            found.setdefault(name, []).append({key: value for key, value in one.items() if key != "rows"})
            print(name, seed, one["count"], one["scores"], flush=True)
    record("private-text", {"model": Path(options.model).name, "delta": DELTA, **found})


if __name__ == "__main__":
    main()
