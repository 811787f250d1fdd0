"""One of two processes of distributed training, which reads a stream blended with recorded samples.

torchrun --nproc_per_node 2 tests/blending/two_ranks.py FOLDER whole|stopped|resumed
"""

import json
import sys
from itertools import islice
from pathlib import Path

import datasets
import torch
from datasets.distributed import split_dataset_by_node
from torchdata.stateful_dataloader import StatefulDataLoader

import augsynth

_BEFORE = 5  # batches


def main(folder, what):
    torch.distributed.init_process_group("gloo")
    rank, ranks = torch.distributed.get_rank(), torch.distributed.get_world_size()
    files = sorted(map(str, folder.glob("real-*.parquet")))
    stream = datasets.load_dataset("parquet", data_files=files, split="train", streaming=True).with_format("torch")
    recorded = augsynth.recorded(folder / "recorded")
    blended = augsynth.SyntheticIterableDataset(
        split_dataset_by_node(stream, rank, ranks), recorded, ratio=0.4, seed=1, provenance=True, buffer_size=8,
        fill={"number": torch.tensor(-1)},
    )  # fmt: skip
    blended.set_epoch(1)
    context = "spawn" if what == "whole" else "fork"
    loader = StatefulDataLoader(blended, batch_size=4, num_workers=2, multiprocessing_context=context)
    state = folder / f"state-{rank}.pt"
    if what == "resumed":
        loader.load_state_dict(torch.load(state, weights_only=False))
    seen = []
    for batch in islice(loader, _BEFORE) if what == "stopped" else loader:
        sums = batch["x"].sum((1, 2, 3)).tolist()
        seen += [list(row) for row in zip(batch["number"].tolist(), batch["meta"]["seed"].tolist(), sums, strict=True)]
    if what == "stopped":
        torch.save(loader.state_dict(), state)
    (folder / f"{what}-{rank}.json").write_text(json.dumps(seen))
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
