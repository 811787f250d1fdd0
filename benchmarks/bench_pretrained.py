"""What a pretrained language model costs: the kept prompt over none, a batch over one at a time, a recording over none.

Prompts of six examples of TREC-6. Ratios of neighbouring runs; tokens a second are of the batch with kept prompts.

    python benchmarks/bench_pretrained.py --model gemma-3-270m
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from typing import Any

import torch
from augsynth_transformers.prefixes import Prefixes
from bench_few_texts import DESCRIPTIONS
from bench_perplexity import read
from common import in_turns, median_ratio, record
from torch.utils.data import DataLoader

import augsynth

BATCH = 48


def rate(gen: Any, n: int, at_once: int, *, forget: bool, seed: int) -> float:
    """Seconds of n texts, so many at once; the prompts read anew for each where told so."""
    started = time.perf_counter()
    for start in range(0, n, at_once):
        if forget:  # the prompt of each text, eight at a time as the kept ones are read
            prompts = [one[0] for one in gen.prompts_for(*asked(gen, start, min(start + at_once, n)))]
            anew = Prefixes(gen.network, gen.width)
            with torch.no_grad():
                for first in range(0, len(prompts), 8):
                    anew._read(prompts[first : first + 8])
        gen.sample(labels=[label(gen, i) for i in range(start, min(start + at_once, n))], seed=seed + start)
    return time.perf_counter() - started


def label(gen: Any, i: int) -> Any:
    return gen.spec.labels.values[i % len(gen.spec.labels)]


def asked(gen: Any, start: int, stop: int) -> Any:
    rows = torch.arange(start, stop)
    return rows % len(gen.spec.labels), None, rows


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--lora", type=int, default=0, help="sentences to fit an adapter on; 0 leaves it out")
    options = parser.parse_args()
    rows = read("trec6", "train", 500)
    gen = augsynth.fit(
        "transformers", rows[:200], model=options.model, descriptions=DESCRIPTIONS["trec6"], progress=False
    )
    made = gen.sample(labels=[label(gen, i) for i in range(BATCH)], seed=0)
    tokens = sum(len(gen.tokenizer(text)["input_ids"]) for text in made.x)
    seconds = in_turns(
        {
            "kept prompts, batch": lambda: rate(gen, BATCH, BATCH, forget=False, seed=1),
            "each prompt read anew, batch": lambda: rate(gen, BATCH, BATCH, forget=True, seed=1),
            "kept prompts, one at a time": lambda: rate(gen, BATCH, 1, forget=False, seed=1),
        },
        options.repeats,
    )
    base = seconds["kept prompts, batch"]
    figures: dict[str, Any] = {
        "model": str(options.model),
        "tokens of a prompt": gen.width,
        "tokens a second": tokens / min(base),
        "kept prompts over none": median_ratio(seconds["each prompt read anew, batch"], base),
        "a batch over one at a time": median_ratio(seconds["kept prompts, one at a time"], base),
    }
    with tempfile.TemporaryDirectory() as folder:
        replayed = augsynth.recorded(
            augsynth.record(gen, BATCH, folder + "/texts", labels=[label(gen, i) for i in range(BATCH)], progress=False)
        )
        real = rows * 20
        blended = augsynth.SyntheticDataset(real, replayed, ratio=0.3, progress=False)

        def read_all(data: Any) -> None:
            for _ in DataLoader(data, batch_size=64):
                pass

        loads = in_turns({"real": lambda: read_all(real), "recorded": lambda: read_all(blended)}, 5)
        figures["loader with a recording over real alone, samples a second"] = median_ratio(
            loads["real"], loads["recorded"]
        )
    if options.lora:
        started = time.perf_counter()
        adapter = augsynth.fit(
            "lora", rows[: options.lora], model=options.model, descriptions=DESCRIPTIONS["trec6"], progress=False
        )
        told = {key: adapter.fit_info.get(key) for key in ("steps", "ended", "best_step", "perplexity")}
        figures["lora"] = {"sentences": options.lora, "seconds": time.perf_counter() - started, **told}
        print(list(adapter.sample(12, seed=0).x), flush=True)
    record("pretrained", figures)


if __name__ == "__main__":
    main()
