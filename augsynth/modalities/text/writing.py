"""Write generated texts to tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from augsynth.sample_files import write_rows


def write(batch: Any, out: Path) -> list[Path]:
    """A ``.csv`` or ``.jsonl`` file with text, label, topic and seed."""
    rows = [
        {"text": x, "label": m["condition"], **({"topic": m["topic"]} if "topic" in m else {}), "seed": m["seed"]}
        for x, m in zip(batch.x, batch.meta, strict=True)
    ]
    write_rows(rows, out)
    return [out]
