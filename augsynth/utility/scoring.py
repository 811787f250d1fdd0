"""Train on a dataset and score what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from augsynth.classifiers.training import default_steps, train_classifier, usual_batch
from augsynth.errors import ConfigError
from augsynth.features import probabilities
from augsynth.fitting.training_data import TrainingData
from augsynth.labels.held_out import held_out_classes

METRICS = ("accuracy", "balanced_accuracy")
Predict = Callable[[Any], Any]
_CURVE = 1000  # held-out samples that the curves are of; the scores are of all


class Scorer:
    """Trains a classifier on a dataset, for as many steps as on any other, and scores it on held-out samples.

    Args:
        real: the training set: what the samples look like, and how many there are.
        holdout: samples to score on.
        metric: one of :data:`METRICS`.
        train: a training function, as of :func:`augsynth.uplift`, or None.
        steps, batch_size: None takes what suits the built-in classifier.
        device: where to train.

    Raises:
        ConfigError: the metric is not known.
        DataError: no labels, a class of ``real`` that ``holdout`` lacks, or samples that differ in form.
    """

    def __init__(
        self,
        real: TrainingData,
        holdout: TrainingData,
        *,
        metric: str,
        train: Callable[..., Predict] | None,
        steps: int | None,
        batch_size: int | None,
        device: str,
    ) -> None:
        if metric not in METRICS:
            raise ConfigError(f"metric={metric!r}: expected one of {', '.join(map(repr, METRICS))}")
        self.spec, self.raw, self.wanted = real.spec, holdout.raw, held_out_classes(real, holdout)
        self.metric, self.train, self.device = metric, train, device
        order = torch.randperm(len(holdout), generator=torch.Generator().manual_seed(0))
        self._some = order[:_CURVE]
        self.steps = steps or default_steps(len(real), self.spec)
        self.batch_size = batch_size or usual_batch(self.spec)

    def __call__(self, dataset: Any, seed: int) -> dict[str, Any]:
        """Train on ``dataset`` by ``seed``.

        Returns:
            ``score`` in [0, 1], ``recalls`` of each class, ``curve`` of (step, score) on at most 1,000 samples,
            ``seconds``, and the seed as ``rng``.
        """
        began, curve = time.perf_counter(), []
        if self.train is None:

            def watch(step: int, model: Any) -> None:
                curve.append((step, self._scored(lambda raw: self._said(model, raw), self._some)[0]))

            model = train_classifier(
                dataset,
                self.spec,
                steps=self.steps,
                seed=seed,
                batch_size=self.batch_size,
                device=self.device,
                watch=watch,
            )
            score, recalls = self._scored(lambda raw: self._said(model, raw))
        else:
            predict = self.train(dataset, steps=self.steps, batch_size=self.batch_size, seed=seed, device=self.device)
            score, recalls = self._scored(lambda raw: predict(list(self.spec.yielded(raw))))
        seconds = round(time.perf_counter() - began, 2)
        return {"score": score, "recalls": recalls, "curve": curve, "seconds": seconds, "rng": seed}

    def _said(self, model: Any, raw: Any) -> Tensor:
        return probabilities(model, self.spec.raw_to_model(raw))

    def _scored(self, predict: Predict, rows: Tensor | None = None) -> tuple[float, list[float]]:
        from sklearn.metrics import recall_score

        raw, wanted = (self.raw, self.wanted) if rows is None else (self.raw[rows], self.wanted[rows])
        found = torch.as_tensor(predict(raw))
        predicted = (found.argmax(1) if found.ndim == 2 else found).cpu()
        if predicted.shape != wanted.shape:
            raise ConfigError(f"predict returned shape {tuple(found.shape)} for {len(wanted)} inputs")
        every = list(range(len(self.spec.classes)))
        recalls = recall_score(wanted, predicted, labels=every, average=None, zero_division=0.0)
        accuracy = float((predicted == wanted).float().mean())
        return (accuracy if self.metric == "accuracy" else float(recalls.mean())), [float(one) for one in recalls]
