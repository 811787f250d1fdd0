"""All that is special about tables."""

from __future__ import annotations

import csv
import json
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from augsynth import authoring
from augsynth_tabular.columns import Column, missing
from augsynth_tabular.grid import Grid
from augsynth_tabular.rows import Rows, TableOfRows
from augsynth_tabular.smote import Smote
from augsynth_tabular.spec import TabularSpec

_GUESSED = 10  # cells of a column of numbers: within one, a guess is right
_DECLARED = (
    Column.declared("height", low=100.0, high=250.0),
    Column.declared("children", low=0, high=12),
    Column.declared("city", values=["Rome", "Oslo", "Lima"]),
    Column.declared("since", low="2010-01-01", high="2029-12-31"),
    Column.declared("income", low=0.0, high=20_000.0, gaps=True),
)


class RowClassifier(nn.Module):
    """Two hidden layers over the encoded columns."""

    def __init__(self, spec: TabularSpec, outputs: int) -> None:
        super().__init__()
        self.spec = spec
        width = sum(column.width for column in spec.columns)
        self.body = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 64), nn.ReLU())
        self.head = nn.Linear(64, outputs)

    def features(self, rows: Any) -> torch.Tensor:
        return self.body(self.spec.vectors(rows).to(self.head.weight.device))

    def forward(self, rows: Any) -> torch.Tensor:
        return self.head(self.features(rows))


class TabularModality(authoring.Modality):
    spec_type = TabularSpec
    readable = True
    suffixes = (".csv", ".jsonl")
    forms = ("told", "declared")

    def readers(self):
        return (TableOfRows(),)

    def classifier(self, spec, outputs):
        return RowClassifier(spec, outputs)

    def classic_candidates(self, spec):
        return {"smote": Smote(), "smote, 3 neighbours": Smote(neighbours=3)}

    def spread(self, spec, x):
        return float(torch.pdist(spec.vectors(x)).mean()) if len(x) > 1 else 0.0

    def features(self):
        def pca(data, reference, judge):
            return authoring.PrincipalComponents(reference, lambda rows: data.spec.vectors(rows).numpy())

        return {**super().features(), "pca": pca}

    def detail(self, spec, reference):
        return "columns", lambda rows: spec.vectors(rows).numpy()

    def attributes(self, spec, x):
        vectors, grid = spec.vectors(x).numpy(), Grid(spec.columns, _GUESSED)
        cells = grid.encoded(x).numpy()
        start = 0
        for i, column in enumerate(spec.columns):
            known = vectors.copy()
            known[:, start : start + column.width] = 0.0
            start += column.width
            yield column.name, known, cells[:, i]

    def html(self, spec, x, *, large=False):
        def row(cells, tag):
            return "<tr>" + "".join(f"<{tag}>{escape(one)}</{tag}>" for one in cells) + "</tr>"

        told = [["" if missing(row[name]) else str(row[name]) for name in spec.names] for row in x]
        body = "".join(row(one, "td") for one in told)
        return f'<div class="scroll"><table>{row(spec.names, "th")}{body}</table></div>'

    def lines(self, spec, x):
        return [json.dumps(row, ensure_ascii=False, default=str) for row in x]

    def write(self, spec, batch, out: Path):
        rows = [{**x, "label": meta["condition"]} for x, meta in zip(batch.x, batch.meta, strict=True)]
        with authoring.atomic_file(out) as draft, draft.open("w", encoding="utf-8", newline="") as file:
            if out.suffix == ".csv":
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows({key: authoring.safe_cell(value) for key, value in row.items()} for row in rows)
            else:
                file.writelines(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows)
        return [out]

    def tiny(self, n, *, classes=3, form=None, seed=0):
        rng = np.random.default_rng(seed)
        targets = [i % classes for i in range(n)] if classes else None
        rows = []
        for i in range(n):
            c = i % max(classes, 1)
            rows.append({
                "height": float(rng.normal(150 + 20 * c, 4)),
                "children": int(rng.integers(0, 3) + c),
                "city": ("Rome", "Oslo", "Lima")[int(rng.integers(0, 2) + c) % 3],
                "since": f"20{10 + c:02d}-0{1 + i % 9}-1{i % 9}",
                "income": None if i % 5 == 0 else float(rng.normal(1000 * (c + 1), 50)),
            })  # fmt: skip
        return Rows(rows, targets, _DECLARED if form == "declared" else ())

    def spoilt(self, x, seed):
        return type(x)({**row, "height": -1000.0 * (1 + i), "city": "?"} for i, row in enumerate(x))
