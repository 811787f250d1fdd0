"""The measurements of an evaluation, one after another."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from augsynth._version import __version__
from augsynth.classifiers import probabilities
from augsynth.errors import ConfigError
from augsynth.evaluation import flags as judgements
from augsynth.evaluation.diversity import Diversity, closest_pairs, distinct_share, measure_diversity
from augsynth.evaluation.fidelity import inside, measure_fidelity
from augsynth.evaluation.figures import Figure, halves
from augsynth.evaluation.flags import Flag
from augsynth.evaluation.inputs import Sets
from augsynth.evaluation.labels import Labels, measure_labels
from augsynth.evaluation.language import measure_language, own_perplexity
from augsynth.evaluation.memorisation import Memorisation, likelihood_attack, measure_memorisation, text_copies
from augsynth.evaluation.result import Evaluation
from augsynth.evaluation.spaces import (
    PrincipalComponents,
    Space,
    detail_space,
    distances,
    feature_space,
    judge_of,
    text_judge,
)
from augsynth.registry import default_registry

_DRAWS = 100  # half-samples


@dataclass
class Pictures:
    """What a report shows besides numbers.

    Attributes:
        sets: the samples.
        embedding: ``"made"``, ``"train"``, ``"held"`` → (m, 2) positions on a map.
        title: name of the generator.
    """

    sets: Sets
    embedding: dict[str, np.ndarray]
    title: str


class Parts:
    """The measurements, in order; what several need is made once."""

    def __init__(self, gen: Any, sets: Sets, features: Any, judge_steps: int | None, seed: int, device: str) -> None:
        self.gen, self.sets, self.seed = gen, sets, seed
        self.text = sets.data.spec.modality == "text"
        self.rows = halves(len(sets.made), _DRAWS, seed)
        self.judge = judge_of(sets.data, steps=judge_steps, seed=0, device=device)
        self.space: Space = feature_space(features, sets.data, sets.reference, self.judge)
        self.detail = detail_space(sets.reference)
        plugin = getattr(gen, "plugin", None) or type(gen).__name__
        self.found = Evaluation(
            set(),
            "",
            [],
            {},
            None,
            {},
            [],
            list(sets.warnings),
            {},
            {
                "generator": plugin,
                "checkpoint": getattr(gen, "checkpoint_id", ""),
                "samples of each set": len(sets.made),
                "training samples": len(sets.data),
                "data": sets.data.fingerprint,
                "features": self.space.name,
                "seed": seed,
                "intervals": f"95 %; of distances and shares of the manifold by {_DRAWS} half-samples",
                "versions": f"augsynth {__version__}, torch {torch.__version__}, Python {platform.python_version()}",
            },
        )
        self._inside: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._kept = np.arange(len(sets.made))
        self._diversities: list[Diversity] = []
        self._near: np.ndarray | None = None
        self._agreement: tuple[np.ndarray, np.ndarray] | None = None
        self.steps: dict[str, Callable[[], None]] = {
            "fidelity": self.fidelity,
            "diversity": self.diversity,
            "memorisation": self.memorisation,
            "likelihood attack": self.likelihood,
        }
        if sets.data.classes is not None and len(sets.names) > 1:
            self.steps["labels"] = self.labels
        if self.text:
            self.steps["language"] = self.language

    def fidelity(self) -> None:
        sets = self.sets
        made, train, held = (self.space(one.x) for one in (sets.made, sets.train, sets.held))
        self._add(*measure_fidelity(self.space.name, made, train, held, self.rows))
        self._note_inside(self.space.name, made, train, held)
        if not self.text and self.space.name != "pca":
            second = Space("pca", PrincipalComponents(sets.reference))
            self._note_inside(second.name, *(second(one.x) for one in (sets.made, sets.train, sets.held)))
        self.found.pictures = Pictures(sets, _map(made, train, held), self.found.settings["generator"])

    def diversity(self) -> None:
        sets = self.sets
        classes = np.zeros(len(sets.made), dtype=int) if sets.made.classes is None else sets.made.classes.numpy()
        for space in (self.detail, self.space):
            vectors = {which: space(getattr(sets, which).x) for which in ("made", "train", "held")}
            own = {which: distances(rows, rows) for which, rows in vectors.items()}
            if space is self.detail:
                figure, self._kept = distinct_share(own["made"], own["train"], closest_pairs(own["held"]))
                self._add(figure)
            found = measure_diversity(space.name, own, classes, sets.names, self.rows)
            self._diversities.append(found)
            self._add(found.figure)
        self.found.diversity = self._diversities[0].per_class

    def memorisation(self) -> None:
        sets = self.sets
        made, train, held, everything = (
            self.detail(one.x) for one in (sets.made, sets.train, sets.held, sets.all_train)
        )
        found: Memorisation = measure_memorisation(made, train, held, everything, self.rows)
        self._add(*found.figures)
        self.found.pairs, self._near = found.pairs, found.near
        if self.text:
            self._add(*text_copies(sets.made.x, sets.held.x, sets.all_train.x))

    def likelihood(self) -> None:
        sets = self.sets
        spec, names = sets.data.spec, sets.data.spec.labels

        def inputs(one: Any) -> tuple[Any, Any]:
            known = names is not None and getattr(self.gen, "conditional", False)
            x = list(one.x) if self.text else spec.yielded(spec.model_to_raw(one.x))
            return x, [names.values[c] for c in one.classes.tolist()] if known else None

        figure = likelihood_attack(self.gen, inputs(sets.train), inputs(sets.held))
        if figure is not None:
            self._add(figure)

    def labels(self) -> None:
        sets = self.sets
        if self.text:
            judge = text_judge(sets.data)
            made, held = (judge.predict_proba(one.x) for one in (sets.made, sets.held))
        else:
            made, held = (probabilities(self.judge, one.x).numpy() for one in (sets.made, sets.held))  # type: ignore[arg-type]
        wanted, true = sets.made.classes.numpy(), sets.held.classes.numpy()  # type: ignore[union-attr]
        name = "tfidf + logistic" if self.text else "classifier"
        found: Labels = measure_labels(made, wanted, held, true, sets.names, name)
        self.found.labels = found
        self._add(*found.figures)
        self._agreement = (made.argmax(1) == wanted, held.argmax(1) == true)

    def language(self) -> None:
        sets = self.sets
        figures, surprises = measure_language(sets.made.x, sets.train.x, sets.held.x, self.seed)
        if "log_prob" in getattr(self.gen, "capabilities", ()):
            figures.insert(0, own_perplexity(self._log_probs(sets.held), self._log_probs(sets.train), self.rows))
        self._add(*figures)
        # plausible: no more surprising than all but a twentieth of one half of the held-out texts; the other half is
        # the floor
        cut = float(np.quantile(surprises[::2, 1], 0.95))
        self._inside["a bigram model"] = (surprises[:, 0] <= cut, surprises[1::2, 1] <= cut)

    def _log_probs(self, one: Any) -> tuple[np.ndarray, np.ndarray]:
        """Log-probability of each text for the generator, and its number of words."""
        labels = self.sets.data.spec.labels
        known = labels is not None and getattr(self.gen, "conditional", False)
        y = [labels.values[c] for c in one.classes.tolist()] if known else None
        found = np.asarray(self.gen.log_prob(list(one.x), y).cpu(), dtype=np.float64)
        return found, np.array([len(text.split()) + 1 for text in one.x])

    def add_metric(self, metric: Any) -> None:
        """Have a metric of somebody else's measured as well."""
        made = default_registry().create("metric", metric) if isinstance(metric, str) else metric
        if not callable(made):
            raise ConfigError(f"metric {metric!r}: expected the name of a plugin, or a callable (made, train, held)")

        def measure() -> None:
            found = made(self.sets.made, self.sets.train, self.sets.held)
            self._add(*([found] if isinstance(found, Figure) else found))

        name = metric if isinstance(metric, str) else getattr(made, "__name__", type(made).__name__)
        self.steps[f"metric {name}"] = measure

    def conclude(self) -> None:
        """Flags and the sentence."""
        figures = self.found.figures
        raised: list[Flag | None] = []
        if self._near is not None:
            raised.append(judgements.copies(figures["near_copies"], self._near, self._kept))
        if "distinct_share" in figures and len(self._diversities) == 2:
            spaces = (self.detail.name, self.space.name)
            raised.append(judgements.collapsed(figures, spaces, [one.per_class for one in self._diversities]))
        unlike = judgements.unrealistic(self._inside, self._kept)
        raised.append(unlike)
        if self._agreement is not None and unlike is None:  # of samples unlike any class, a label means nothing
            everywhere = np.ones(len(self.sets.made), dtype=bool)
            among = np.all([everywhere, *(made for made, _ in self._inside.values())], axis=0)
            raised.append(judgements.mislabelled(*self._agreement, among, self._kept))
        self.found.reasons = [flag for flag in raised if flag is not None]
        self.found.flags = {flag.name for flag in self.found.reasons}
        self.found.sentence = _sentence(self.found)
        self.found.warnings += _warnings(self.found, len(self._kept))

    def _note_inside(self, name: str, made: np.ndarray, train: np.ndarray, held: np.ndarray) -> None:
        own = distances(held, held)
        self._inside[name] = (inside(own, distances(held, made)), inside(own, distances(held, train)))

    def _add(self, *figures: Figure) -> None:
        self.found.figures |= {figure.name: figure for figure in figures}


_TOLD = {
    "copies": "copies its training data",
    "collapsed": "makes nearly the same sample again and again",
    "unrealistic": "makes samples unlike real ones",
    "mislabelled": "makes samples of other classes than those asked for",
}


def _sentence(found: Evaluation) -> str:
    name = found.settings["generator"]
    n = found.settings["samples of each set"]
    if found.flags:
        told = [_TOLD[flag] for flag in judgements.FLAGS if flag in found.flags]
        return f"{name} {', and '.join(told)} (by {n} samples)."
    return (
        f"Nothing is plainly wrong with the samples of {name}: by {n} of them, they are not copies, not collapsed, not "
        "unlike real ones, and not of the wrong class. That is no proof, and says nothing about whether they help: for "
        "that, there is augsynth.uplift."
    )


def _warnings(found: Evaluation, kept: int) -> list[str]:
    told = [
        "A pass is not a proof of privacy: the checks look for samples that are close in pixels or words; a shifted, "
        "mirrored or reworded copy may escape them.",
    ]
    if found.settings["features"] == "classifier":
        told.append(
            "The features are those of a classifier that was fitted on the training set, which it knows better than "
            "the held-out one: floors are somewhat high, and hence lenient."
        )
    if "unrealistic" in found.flags:
        told.append("Labels were not judged, as most samples are unlike those of any class")
    if kept < judgements.FEW:
        told.append(f"Only {kept} samples are distinct: realism and labels were not judged")
    return told


def _map(made: np.ndarray, train: np.ndarray, held: np.ndarray) -> dict[str, np.ndarray]:
    """Positions on a plane: the two leading principal components of the held-out vectors."""
    from sklearn.decomposition import PCA

    fitted = PCA(2, svd_solver="full", random_state=0).fit(held)
    return {"made": fitted.transform(made), "train": fitted.transform(train), "held": fitted.transform(held)}
