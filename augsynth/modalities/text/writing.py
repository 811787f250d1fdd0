"""Write generated texts to tables."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from augsynth._atomic import atomic_file


def write(batch: Any, out: Path) -> list[Path]:
    """A ``.csv`` or ``.jsonl`` file with text, label, topic and seed."""
    rows = [
        {"text": x, "label": m["condition"], **({"topic": m["topic"]} if "topic" in m else {}), "seed": m["seed"]}
        for x, m in zip(batch.x, batch.meta, strict=True)
    ]
    with atomic_file(out) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        if out.suffix == ".csv":
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        else:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return [out]
