"""Samples per second of the inference form over the networks as they were trained, for 256 requested samples.

The training form: eager, contiguous, batch norms with their statistics, all in one batch, without gradients. The
inference form: what ``sample`` uses, in parts of the size that was measured best, without and with compilation, and
with bfloat16 where that leaves the samples as they are. Runs on a GPU if there is one; on a CPU, with one thread.
"""

from __future__ import annotations

import copy
import warnings
from functools import partial

import torch
from common import in_turns, median_ratio, record
from torch.utils.data import TensorDataset

import augsynth
from augsynth.blending.graphs import GraphedDraw

N = 256


def main() -> None:
    warnings.simplefilter("ignore")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    real = TensorDataset(torch.rand(300, 1, 28, 28, generator=generator), torch.arange(300) % 10)
    labels, seeds = (torch.arange(N) % 10).to(device), torch.arange(N).to(device)
    figures: dict = {"device": device, "n": N}
    for name, config in (("gan", {"width": 64}), ("vae", {}), ("autoencoder", {})):
        gen = augsynth.fit(name, real, steps=10, progress=False, device=device, **config)
        trained = copy.deepcopy(gen).to(memory_format=torch.contiguous_format)
        trained.for_sampling = lambda part, own=trained: getattr(own, part)

        def waited(run):
            def timed():
                run()
                if device == "cuda":
                    torch.cuda.synchronize()

            return timed

        def training_form(trained=trained):
            with torch.no_grad():
                return trained.draw(labels, seeds, temperature=1.0, truncation=None)

        def inference_form(gen=gen):
            return gen.draw_many(labels, seeds)

        graphs_form = partial(GraphedDraw(gen, {"temperature": 1.0, "truncation": None}), labels, seeds)

        difference = float((training_form() - inference_form()).abs().max())
        row: dict = {"largest difference on [-1, 1]": difference}
        for how in ("eager", "compiled", "bfloat16", *(["CUDA graph"] if device == "cuda" else [])):
            found = gen.tune_sampling(N, compile=how == "compiled", autocast=how == "bfloat16", again=True)
            times = in_turns(
                {
                    "trained": waited(training_form),
                    "ours": waited(graphs_form if how == "CUDA graph" else inference_form),
                },
                repeats=15,
                warmup=3,
            )
            row[how] = {
                "factor": median_ratio(times["trained"], times["ours"]),
                "micro_batch": found["micro_batch"],
                "compiled": found["compiled"],
                "bfloat16 kept": found["autocast"],
                "samples/s": N / sorted(times["ours"])[len(times["ours"]) // 2],
            }
        figures[f"{name} {config or ''}".strip()] = row
    record("inference", figures)


if __name__ == "__main__":
    main()
