"""The measurements of an evaluation, one after another."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from augsynth._names import name_of
from augsynth._version import __version__
from augsynth.errors import ConfigError
from augsynth.evaluation import flags as judgements
from augsynth.evaluation.auditing.attacks import by_generated
from augsynth.evaluation.auditing.guessing import audited
from augsynth.evaluation.auditing.inference import attributes_told
from augsynth.evaluation.auditing.result import with_attributes
from augsynth.evaluation.diversity import Diversity, closest_pairs, distinct_share, measure_diversity
from augsynth.evaluation.feature_spaces import Space, detail_space, distances, feature_space, second_space
from augsynth.evaluation.fidelity import inside, manifold_figures, measure_fidelity, two_sample
from augsynth.evaluation.figures import Figure, halves
from augsynth.evaluation.flags import Flag
from augsynth.evaluation.inputs import Samples, Sets
from augsynth.evaluation.label_agreement import Labels, measure_labels
from augsynth.evaluation.label_judge import judge_of
from augsynth.evaluation.memorisation import Memorisation, likelihood_attack, measure_memorisation
from augsynth.evaluation.result import Evaluation
from augsynth.modality import Extra
from augsynth.recognition import modality_of
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


class Measurements:
    """The measurements, in order; what several need is made once."""

    def __init__(
        self, gen: Any, sets: Sets, features: Any, judge_steps: int | None, seed: int, device: str, judge: Any = None
    ) -> None:
        self.gen, self.sets, self.seed = gen, sets, seed
        self.modality = modality_of(sets.data.spec)
        self.rows = halves(len(sets.made), _DRAWS, seed)
        self.judge = judge_of(sets.data, steps=judge_steps, seed=0, device=device, given=judge)
        self.space: Space = feature_space(features, sets.data, sets.reference, self.judge)
        self.second = second_space(self.space, sets.data, sets.reference, self.judge)
        self.detail = detail_space(sets.data, sets.reference)
        plugin = name_of(gen)
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
        self._inside: dict[str, np.ndarray] = {}
        self._plausible: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._kept = np.arange(len(sets.made))
        self._diversities: list[Diversity] = []
        self._near: np.ndarray | None = None
        self._agreement: tuple[np.ndarray, np.ndarray] | None = None
        self.steps: dict[str, Callable[[], None]] = {
            "fidelity": self.fidelity,
            "diversity": self.diversity,
            "memorisation": self.memorisation,
            "likelihood attack": self.likelihood,
            "audit": self.audit,
        }
        if sets.data.spec.num_classes > 1:
            self.steps["labels"] = self.labels
        for name, measure in self.modality.measurements(gen, sets, self.rows, seed).items():
            self.steps[name] = partial(self.further, measure)

    def fidelity(self) -> None:
        sets = self.sets
        made, train, held = (self.space(one.x) for one in (sets.made, sets.train, sets.held))
        self._add(*measure_fidelity(self.space.name, made, train, held, self.rows))
        self._inside[self.space.name] = inside(distances(held, held), distances(held, made))
        self.found.pictures = Pictures(sets, _map(made, train, held), self.found.settings["generator"])
        if self.second is not None:
            name = self.second.name
            made, train, held = (self.second(one.x) for one in (sets.made, sets.train, sets.held))
            self._add(*manifold_figures(name, made, train, held, self.rows), two_sample(name, made, train, held))
            self._inside[name] = inside(distances(held, held), distances(held, made))

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
        self._add(*self.modality.copies(sets.data.spec, sets.made.x, sets.held.x, sets.all_train.x))

    def likelihood(self) -> None:
        sets = self.sets
        spec, names = sets.data.spec, sets.data.spec.classes

        def inputs(one: Any) -> tuple[Any, Any]:
            known = names is not None and getattr(self.gen, "conditional", False)
            return spec.batched(one.x), [names.values[c] for c in one.classes.tolist()] if known else None

        if names is None and getattr(self.gen, "conditional", False):
            return  # its density is one given a target, which was not drawn for these
        figure = likelihood_attack(self.gen, inputs(sets.train), inputs(sets.held))
        if figure is not None:
            self._add(figure)

    def audit(self) -> None:
        sets = self.sets
        spec, half = sets.data.spec, len(sets.train)
        candidates = Samples.of(spec, sets.train, sets.held)
        near = by_generated(candidates, sets.made, self.detail)
        found = audited(
            {name: (score[:half], score[half:]) for name, score in near.items()},
            getattr(self.gen, "fit_info", {}).get("privacy"),
            name=self.found.settings["generator"],
            confidence=0.95,
            delta=None,
            seed=self.seed,
            settings={"members": half, "non_members": len(sets.held), "generated": len(sets.made)},
        )
        told = attributes_told(spec, candidates, half, sets.made, self.detail)
        self.found.audit = with_attributes(found, told)

    def labels(self) -> None:
        sets = self.sets
        made, held = (np.asarray(self.judge.probabilities(one.x)) for one in (sets.made, sets.held))
        wanted, true = sets.made.classes.numpy(), sets.held.classes.numpy()  # type: ignore[union-attr]
        found: Labels = measure_labels(made, wanted, held, true, sets.names, self.judge.name)
        self.found.labels = found
        self._add(*found.figures)
        self._agreement = (made.argmax(1) == wanted, held.argmax(1) == true)

    def further(self, measure: Callable[[], Extra]) -> None:
        """What only this kind of data has."""
        found = measure()
        self._add(*found.figures)
        self._plausible |= found.plausible

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
        compared = [one.name for one in (self.space, self.second) if one is not None]
        compared = [name for name in compared if f"two_sample_auc[{name}]" in figures]
        varied = not any(flag is not None and flag.name == "collapsed" for flag in raised)
        unlike = (
            judgements.unrealistic(compared, figures, self._plausible, self._kept, varied=varied) if compared else None
        )
        raised.append(unlike)
        if self._agreement is not None and unlike is None:  # of samples unlike any class, a label means nothing
            everywhere = np.ones(len(self.sets.made), dtype=bool)
            masks = [*self._inside.values(), *(made for made, _ in self._plausible.values())]
            among = np.all([everywhere, *masks], axis=0)
            raised.append(judgements.mislabelled(*self._agreement, among, self._kept))
        if self.found.audit is not None and self.found.audit.violated:
            raised.insert(0, Flag("broken_promise", self.found.audit.sentence))
        self.found.reasons = [flag for flag in raised if flag is not None]
        self.found.flags = {flag.name for flag in self.found.reasons}
        self.found.sentence = _sentence(self.found)
        self.found.warnings += _warnings(self.found, len(self._kept), self.detail.name)

    def _add(self, *figures: Figure) -> None:
        self.found.figures |= {figure.name: figure for figure in figures}


_TOLD = {
    "broken_promise": "gives away more than its privacy statement allows",
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


def _warnings(found: Evaluation, kept: int, detail: str) -> list[str]:
    told = [
        f"A pass is not a proof of privacy: the checks look for samples that are close in {detail}; a copy that was "
        "shifted, mirrored or put otherwise may escape them.",
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
