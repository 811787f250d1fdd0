"""Labels for samples that have none."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from augsynth._device import chosen_device
from augsynth.annotating.annotation import Annotation
from augsynth.annotating.calibration import fitted_temperature, tempered, threshold_for
from augsynth.classifiers.given import class_probabilities, named_judge
from augsynth.classifiers.training import default_steps, train_classifier
from augsynth.errors import ConfigError, DataError
from augsynth.features import probabilities
from augsynth.fitting.training_data import TrainingData
from augsynth.recognition import modality_of
from augsynth.seeding import check_seed

_FOLDS = 5


class BuiltIn:
    """The built-in classifier of a kind of data, as a judge that :func:`annotate` can fit.

    Args:
        spec: of the samples.
        seed, device: of the training.
    """

    name = "the built-in classifier"

    def __init__(self, spec: Any, seed: int, device: str) -> None:
        self.spec, self.seed, self.device = spec, seed, device

    def fit(self, inputs: Any, labels: list[Any]) -> BuiltIn:
        """Train on n inputs as the dataset yields them, and their labels."""
        pairs = list(zip(inputs, labels, strict=True))
        self._model = train_classifier(
            pairs, self.spec, steps=default_steps(len(pairs), self.spec), seed=self.seed, device=self.device
        )
        return self

    @property
    def labels(self) -> list[Any]:
        """The columns of :meth:`probabilities`."""
        return list(self.spec.classes.values)

    def probabilities(self, inputs: Any) -> np.ndarray:
        """(n, labels)."""
        made: np.ndarray = probabilities(self._model, self.spec.inputs(list(inputs))).cpu().numpy()
        return made


def annotate(
    unlabelled: Any,
    labelled: Any,
    *,
    judge: Any = None,
    precision: float = 0.95,
    assurance: float = 0.9,
    seed: int = 0,
    device: str | torch.device = "cpu",
    progress: bool = True,
) -> Annotation:
    """Give labels to samples that have none, where a judge is sure enough, and keep the rest for a person.

    The judge is fitted on parts of the labelled samples and asked about the others (five-fold cross-validation, samples
    that are the same in one fold), its probabilities are made honest by a temperature, and a label is given from the
    confidence on from which ``precision`` of these were right.

    Args:
        unlabelled: map-style, yields bare inputs, or samples whose labels are not read: real ones, or generated ones.
        labelled: map-style, of the same form, with labels that are classes.
        judge: an object with ``fit(inputs, labels)`` (which returns itself), ``labels`` and ``probabilities(inputs)``
            (n, labels), as of :class:`EmbeddingClassifier`, or ``"embeddings"`` for that one; None takes what suits the
            kind of data: embeddings with logistic regression for texts, else the built-in classifier.
        precision: the share of the given labels that is to be right.
        assurance: how sure that is to be. It takes labelled samples: at 0.9, some 80 that the judge has right for a
            precision of 0.95, some 40 for 0.9.
        seed: everything random follows it.
        device: of the built-in classifier; ``"auto"`` takes a GPU if there is one.
        progress: show a progress bar on a terminal.

    Raises:
        ConfigError: an argument cannot be used.
        DataError: no classes among the labelled samples, a class with one sample, or sets that differ in form.
    """
    for name, value in (("precision", precision), ("assurance", assurance)):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 < value < 1.0:
            raise ConfigError(f"{name}={value!r}: expected a share in (0, 1)")
    seed, device = check_seed(seed), chosen_device(device)
    known = TrainingData.read(labelled, show=progress)
    given = TrainingData.read(unlabelled, labelled=False, show=progress)
    target = known.spec.classes
    if target is None or known.classes is None or len(target) < 2:
        raise DataError("labelled samples of two classes or more are needed")
    if apart := known.spec.differences(given.spec):
        raise DataError(f"the two sets differ in form: {'; '.join(apart)}")
    own = named_judge(judge, known.spec) or modality_of(known.spec).annotator(known.spec)
    made = own or BuiltIn(known.spec, seed, device)
    labels = [target.values[c] for c in known.classes.tolist()]
    classes = known.classes.numpy()

    def said(fit_on: np.ndarray, ask: Any) -> np.ndarray:
        fitted = made.fit(_inputs(known, fit_on), [labels[i] for i in fit_on])
        return class_probabilities(fitted, target, ask)

    held = np.zeros((len(labels), len(target)))
    for inside, outside in _folds(known, seed):
        held[outside] = said(inside, _inputs(known, outside))
    temperature = fitted_temperature(held, classes)
    calibrated = tempered(held, temperature)
    found = threshold_for(calibrated.max(1), calibrated.argmax(1) == classes, precision, assurance)
    everything = np.arange(len(labels))
    asked = tempered(said(everything, list(known.spec.yielded(given.raw))), temperature)
    confidence = asked.max(1)
    guesses = [target.values[c] for c in asked.argmax(1).tolist()]
    return Annotation(
        labels=[guess if sure >= found.value else None for guess, sure in zip(guesses, confidence, strict=True)],
        guesses=guesses,
        confidence=confidence,
        threshold=found,
        precision=precision,
        assurance=assurance,
        temperature=temperature,
        judge=str(getattr(made, "name", type(made).__name__)),
        spec=known.spec,
        raw=given.raw,
        target=target,
        fingerprint=given.fingerprint,
    )


def _inputs(data: TrainingData, rows: np.ndarray) -> list[Any]:
    return list(data.spec.yielded(data.raw[torch.from_numpy(rows)]))


def _folds(data: TrainingData, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Positions to fit on and to ask about; samples that are the same are in one fold."""
    from sklearn.model_selection import StratifiedGroupKFold

    assert data.classes is not None
    digests = data.digests()
    groups = {digest: i for i, digest in enumerate(dict.fromkeys(digests))}
    own = np.array([groups[digest] for digest in digests])
    classes = data.classes.numpy()
    fewest = min((len(set(own[classes == c])), c) for c in np.unique(classes).tolist())
    if fewest[0] < 2:
        name = data.spec.classes.display(fewest[1])
        raise DataError(f"class {name!r} has one labelled sample: two or more are needed, to ask about one")
    cut = StratifiedGroupKFold(min(_FOLDS, fewest[0]), shuffle=True, random_state=seed % 2**32)
    return [(inside, outside) for inside, outside in cut.split(own, classes, own)]
