"""Samples that are unlike all others, or whose label is doubted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Subset

from augsynth._optional import import_optional
from augsynth._progress import progress_bar
from augsynth.classifiers.training import default_steps, train_classifier, usual_batch
from augsynth.errors import MissingDependencyError
from augsynth.features import probabilities
from augsynth.fitting.training_data import TrainingData
from augsynth.modality import Modality
from augsynth.preparing.findings import Finding
from augsynth.utility.trials import run_trials

_FAR = 4.0  # robust standard deviations of the logarithm: of bell-shaped values one in 30,000
_FOLDS = 4
_TRUSTED = 0.75  # of the samples: below, mistakes of the classifiers outnumber those of the labels
_PASSES, _STEPS = 80, 150  # of a classifier that is to doubt labels: with fewer it finds less, with more nothing new
_FEWEST = 2 * _FOLDS  # samples of a class, to say anything about their labels


def find_outliers(
    data: TrainingData, modality: Modality, files: Sequence[str | None], *, seed: int, device: str, progress: bool
) -> tuple[list[Finding], list[str]]:
    """Findings of the kind ``"outliers"``: whose score is far above the others'. And notes."""
    scores = modality.outlier_scores(data, seed=seed, device=device, progress=progress)
    if scores is None:
        return [], [f"outliers are not looked for among {modality.qualified} samples"]
    logs = scores.double().clamp(min=1e-12).log()
    middle = logs.median()
    spread = 1.4826 * (logs - middle).abs().median()
    if spread == 0:
        return [], []
    away = (logs - middle) / spread
    rows = (away > _FAR).nonzero().flatten().tolist()
    told = "{:.1f} times the usual error of reconstruction"
    return [
        Finding("outliers", i, told.format(float((logs[i] - middle).exp())), None, float(away[i]), files[i])
        for i in rows
    ], []


def find_doubted_labels(
    data: TrainingData,
    dataset: Any,
    files: Sequence[str | None],
    *,
    seed: int,
    device: str,
    jobs: int,
    progress: bool,
) -> tuple[list[Finding], list[str]]:
    """Findings of the kind ``"labels"``, by confident learning (Northcutt et al. 2021) on what classifiers say of
    samples that they were not trained on. And notes."""
    known = data.spec.classes
    if known is None or data.classes is None or len(known) < 2:
        return [], ["labels are not doubted: there are none that are classes"]
    counts = torch.bincount(data.classes, minlength=len(known))
    if int(counts.min()) < _FEWEST:
        few = known.displayed[int(counts.argmin())]
        return [], [f"labels are not doubted: class {few} has {int(counts.min())} samples, and {_FEWEST} are the least"]
    try:
        filters = import_optional("cleanlab.filter", extra="prepare", purpose="finding doubtful labels")
    except MissingDependencyError as error:
        return [], [f"labels are not doubted: {error}"]
    said = _out_of_sample(data, dataset, seed=seed, device=device, jobs=jobs, progress=progress)
    classes = data.classes.numpy()
    right = float((said.argmax(1) == classes).mean())
    if right < _TRUSTED:
        return [], [
            f"labels are not doubted: classifiers name that of {100 * right:.0f} % of the samples that they were not "
            f"trained on, and from {100 * _TRUSTED:.0f} % on their doubt is worth something"
        ]
    rows = filters.find_label_issues(classes, said, return_indices_ranked_by="self_confidence", n_jobs=1)
    found = []
    for i in rows.tolist():
        likely = int(said[i].argmax())
        detail = (
            f"labelled {known.displayed[int(classes[i])]} ({100 * said[i, classes[i]]:.0f} %), taken for "
            f"{known.displayed[likely]} ({100 * said[i, likely]:.0f} %)"
        )
        found.append(Finding("labels", i, detail, None, float(said[i, likely] - said[i, classes[i]]), files[i]))
    return found, []


def _out_of_sample(
    data: TrainingData, dataset: Any, *, seed: int, device: str, jobs: int, progress: bool
) -> np.ndarray:
    """(n, classes): of each sample what a classifier says that was trained on the other folds."""
    from sklearn.model_selection import StratifiedKFold

    classes: Tensor = data.classes  # type: ignore[assignment]
    said = np.zeros((len(data), len(data.spec.classes)))
    split = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed % 2**32)
    folds = list(split.split(np.zeros(len(data)), classes.numpy()))

    def judged(_: str, fold: int) -> dict[str, Any]:
        train, held = folds[fold]
        own = max(_STEPS, _PASSES * len(train) // usual_batch(data.spec))
        steps = min(own, default_steps(len(train), data.spec))
        model = train_classifier(Subset(dataset, train.tolist()), data.spec, steps=steps, seed=seed, device=device)
        return {"said": probabilities(model, data.model_x(torch.from_numpy(held))).numpy()}

    with progress_bar("doubting labels", _FOLDS, show=progress, at_once=jobs) as bar:
        for (_, fold), found in run_trials(judged, [("", fold) for fold in range(_FOLDS)], jobs):
            said[folds[fold][1]] = found["said"]
            bar.advance()
    return said
