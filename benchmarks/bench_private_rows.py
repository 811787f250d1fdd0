"""What does a classifier learn from differentially private rows alone?

`marginals` is fitted on a table with a privacy budget, as many rows are made as there are, and a logistic regression
and boosted trees are trained on them, without one real row. Beside it: the real rows, a fit without privacy, and TVAE,
which knows no privacy. The bounds of the columns are those of the questionnaires. Each seed holds out another quarter.
Each generator is attacked as well, beside one that hands out the rows that it was fitted on.

    pip install statsmodels
    python benchmarks/bench_private_rows.py
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from typing import Any

import numpy as np
import torch
from common import record

import augsynth
from augsynth import authoring

DELTA = 1e-5


class Copier(augsynth.Generator):
    """Hands out the rows that it was fitted on: what the attacks must find."""

    modality = "tabular"

    def build(self, spec: Any) -> None:
        self.register_buffer("anchor", torch.zeros(1))

    def learn(self, data: Any) -> None:
        self.rows = [[row for row, y in zip(data.raw, data.classes, strict=True) if y == c] for c in (0, 1)]

    def draw(self, labels: Any, seeds: Any, *, temperature: float, truncation: float | None) -> Any:
        pairs = zip(labels.tolist(), seeds.tolist(), strict=True)
        return authoring.Items(self.rows[label][seed % len(self.rows[label])] for label, seed in pairs)


def affairs() -> tuple[Any, str, Any]:
    """Redbook survey of 6,366 married women (Fair 1978): has there been an affair?"""
    from augsynth_tabular.columns import Column
    from statsmodels.datasets import fair

    frame = fair.load_pandas().data
    frame["affair"] = (frame.pop("affairs") > 0).astype(int)
    whole = ["rate_marriage", "religious", "educ", "occupation", "occupation_husb"]
    frame[whole] = frame[whole].astype(int)
    columns = [
        Column.declared("rate_marriage", low=1, high=5),
        Column.declared("age", low=15.0, high=45.0),
        Column.declared("yrs_married", low=0.0, high=25.0),
        Column.declared("children", low=0.0, high=6.0),
        Column.declared("religious", low=1, high=4),
        Column.declared("educ", low=8, high=20),
        Column.declared("occupation", low=1, high=6),
        Column.declared("occupation_husb", low=1, high=6),
    ]
    return frame, "affair", columns


def visits() -> tuple[Any, str, Any]:
    """RAND health insurance experiment, 20,190 person-years: was there a visit to a doctor?"""
    from augsynth_tabular.columns import Column
    from statsmodels.datasets import randhie

    frame = randhie.load_pandas().data
    frame["visit"] = (frame.pop("mdvis") > 0).astype(int)
    flags = ["idp", "hlthg", "hlthf", "hlthp"]
    frame[flags] = frame[flags].astype(bool)
    bounds = {"lncoins": (0.0, 4.7), "lpi": (0.0, 8.0), "fmde": (0.0, 9.0), "physlm": (0.0, 1.0), "disea": (0.0, 60.0)}
    columns = [Column.declared(name, low=low, high=high) for name, (low, high) in bounds.items()]
    return frame, "visit", [*columns, *(Column.declared(name, values=[False, True]) for name in flags)]


def aucs(frame: Any, target: str, test: Any) -> dict[str, float]:
    """Area under the ROC curve on ``test``, of two classifiers trained on ``frame``."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    models = {
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
        "boosted trees": HistGradientBoostingClassifier(max_iter=60, random_state=0),
    }
    found = {}
    for name, model in models.items():
        model.fit(frame.drop(columns=target).astype(float), frame[target])
        scores = model.predict_proba(test.drop(columns=target).astype(float))[:, 1]
        found[name] = float(roc_auc_score(test[target], scores))
    return found


def attack(gen: Any, members: Any, others: Any, seed: int) -> dict[str, Any]:
    """Membership and attributes of 1,000 rows each, by 20,000 generated ones."""
    found = augsynth.audit(gen, members, others, most=1000, n=20_000, seed=seed, progress=False)
    return {
        "auc": max(one.auc for one in found.attacks.values()),
        "epsilon": found.epsilon,
        "more": 100 * max(one.more for one in found.attributes.values()),
        "leaks": [one.name for one in found.attributes.values() if one.leaks],
    }


def main() -> None:
    import pandas as pd
    from augsynth_tabular.rows import Rows

    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--epsilons", type=float, nargs="*", default=[1.0, 10.0])
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    arms: list[tuple[str, float | None]] = [("tvae", None), ("marginals", None)]
    arms += [("marginals", epsilon) for epsilon in options.epsilons]
    figures: dict[str, Any] = {"seeds": options.seeds, "delta": DELTA}
    for table in (affairs, visits):
        frame, target, columns = table()
        found: dict[str, dict[str, list[float]]] = {}
        attacked: dict[str, list[dict[str, Any]]] = {}
        seconds: dict[str, list[float]] = {}

        def scored(arm: str, rows: Any, test: Any, target: str, found: dict[str, dict[str, list[float]]]) -> None:
            for model, value in aucs(rows, target, test).items():
                found.setdefault(arm, {}).setdefault(model, []).append(value)
            print(arm, {model: round(values[-1], 3) for model, values in found[arm].items()}, flush=True)

        for seed in range(options.seeds):
            order = np.random.default_rng(seed).permutation(len(frame))
            cut = len(frame) // 4
            test, train = frame.iloc[order[:cut]], frame.iloc[order[cut:]]
            scored("real rows", train, test, target, found)
            held = Rows.of(test, target, columns)
            data = Rows.of(train, target, columns)
            copier = augsynth.fit(Copier(), data, progress=False, device="cpu")
            attacked.setdefault("a copy of the rows", []).append(attack(copier, data, held, seed))
            for name, epsilon in arms:
                arm = f"{name}, {'no privacy' if epsilon is None else f'epsilon {epsilon:g}'}"
                privacy = None if epsilon is None else augsynth.Privacy(epsilon, DELTA)
                started = time.perf_counter()
                gen = augsynth.fit(name, data, privacy=privacy, seed=seed, progress=False, device="cpu")
                seconds.setdefault(arm, []).append(time.perf_counter() - started)
                shares = dict(zip(gen.spec.labels.values, gen.spec.labels.counts, strict=True))
                labels = np.random.default_rng(seed).choice(
                    list(shares), len(train), p=np.array(list(shares.values())) / sum(shares.values())
                )
                made = pd.DataFrame(gen.sample(len(train), labels=labels.tolist(), seed=seed).x)
                made[target] = labels
                scored(arm, made, test, target, found)
                attacked.setdefault(arm, []).append(attack(gen, data, held, seed))
                print("   ", attacked[arm][-1], flush=True)
        figures[table.__name__] = {
            "rows": len(frame),
            "told": (table.__doc__ or "").strip(),
            "auc": {
                arm: {
                    model: {"mean": statistics.mean(values), "std": statistics.stdev(values)}
                    for model, values in of.items()
                }
                for arm, of in found.items()
            },
            "attacked": {
                arm: {
                    "AUC of membership": statistics.mean(one["auc"] for one in of),
                    "epsilon at least": max(one["epsilon"] for one in of),
                    "guessed more often, points": statistics.mean(one["more"] for one in of),
                    "values with a leak": sum(len(one["leaks"]) for one in of),
                }
                for arm, of in attacked.items()
            },
            "seconds of a fit": {arm: statistics.mean(values) for arm, values in seconds.items()},
        }
    record("privacy-rows", figures)


if __name__ == "__main__":
    main()
