"""Attack a generator, as somebody would who wants to know whether a sample was among those that it was fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from augsynth._names import name_of
from augsynth._numbers import check_whole
from augsynth._version import __version__
from augsynth.errors import ConfigError, DataError, NotFittedError, PrivacyViolationError
from augsynth.evaluation.auditing.attacks import by_density, by_generated, calibrated
from augsynth.evaluation.auditing.guessing import audited
from augsynth.evaluation.auditing.inference import attributes_told
from augsynth.evaluation.auditing.result import Audit, with_attributes
from augsynth.evaluation.feature_spaces import detail_space
from augsynth.evaluation.inputs import Samples, drawn
from augsynth.fitting.training_data import TrainingData
from augsynth.seeding import check_seed, derive

LEAST = 20
"""Candidates of each side: below, no bound says anything."""
_DRAW, _PICK = 0xA0D17, 0xA0D18


def audit(
    gen: Any,
    members: Any,
    non_members: Any,
    *,
    n: int | None = None,
    references: Sequence[Any] = (),
    confidence: float = 0.95,
    delta: float | None = None,
    most: int = 2000,
    seed: int = 0,
    progress: bool = True,
) -> Audit:
    """Does a generator give away which samples it was fitted on? Whatever was promised.

    It is attacked by how near its samples lie to a candidate, by their density there, and by its own log-density where
    it has one. What the attacks achieve bounds ε from below (Steinke, Nasr & Jagielski, "Privacy auditing with one (1)
    training run", 2023). Weak attacks give low bounds: a bound of 0 proves no privacy. Of data with single values, such
    as rows of a table, it is also tried to guess each from the others (Giomi et al. 2023).

    Args:
        gen: a fitted generator, or another source with ``sample`` and ``spec``.
        members: samples that it was fitted on, of its training set or canaries (:func:`augsynth.plant_canaries`).
        non_members: samples that it was not fitted on. Both must come of one set that was **split at random**: if they
            differ otherwise, the difference is taken for a leak.
        n: samples to generate; None takes ten for each candidate.
        references: generators that were fitted on other data of the kind; their scores are subtracted, which makes the
            attacks stronger (calibration; Watson et al. 2022).
        confidence: of the bound, over all attacks together.
        delta: at which the bound is meant; None takes that which the fit claims, or 1e-5.
        most: members and non-members that are tried, at most, each.
        seed: of the samples and the choice of candidates.
        progress: show a progress bar while reading.

    Returns:
        An :class:`Audit`.

    Raises:
        PrivacyViolationError: the bound is above the ε that the fit claims. Its attribute ``audit`` has the figures.
        DataError: too few samples, or of another form than the generator's.
        ConfigError: an argument cannot be used.
    """
    seed = check_seed(seed)
    if not 0.5 < confidence < 1.0:
        raise ConfigError(f"confidence={confidence!r}: expected a probability above 0.5, below 1; usual is 0.95")
    if delta is not None and not 0.0 <= delta < 1.0:
        raise ConfigError(f"delta={delta!r}: expected a probability in [0, 1)")
    check_whole(LEAST, or_none=True, n=n, most=most)
    if getattr(gen, "spec", None) is None:
        raise NotFittedError("only a fitted generator can be audited: use augsynth.fit(...) first")
    given = {"members": members, "non_members": non_members}
    sides = [
        _read(one, gen, told, most, int(derive(seed, _PICK, i)), progress)
        for i, (told, one) in enumerate(given.items())
    ]
    both = Samples.of(gen.spec, *sides)
    wanted = n if n is not None else 10 * len(both)
    data = TrainingData(gen.spec, [], None, "")
    made, extract = _made(gen, both, wanted, data, seed)
    own = _scores(gen, gen.spec, both, made, extract)
    others = [_scores(one, gen.spec, both, *_made(one, both, wanted, data, seed)) for one in references]
    scores = {name: (value[: len(sides[0])], value[len(sides[0]) :]) for name, value in calibrated(own, others).items()}
    found = audited(
        scores,
        getattr(gen, "fit_info", {}).get("privacy"),
        name=name_of(gen),
        confidence=confidence,
        delta=delta,
        seed=seed,
        settings={
            "members": len(sides[0]),
            "non_members": len(sides[1]),
            "generated": wanted,
            "references": len(references),
            "checkpoint": getattr(gen, "checkpoint_id", ""),
            "seed": seed,
            "augsynth": __version__,
        },
    )
    found = with_attributes(found, attributes_told(gen.spec, both, len(sides[0]), made, extract))
    if found.violated:
        raise PrivacyViolationError(str(found), found)
    return found


def _read(dataset: Any, gen: Any, told: str, most: int, seed: int, show: bool) -> Samples:
    """Candidates as the generator sees them."""
    labels = gen.spec.classes if getattr(gen, "conditional", False) else None
    data = TrainingData.read(dataset, labelled=labels is not None, modality=gen.spec.modality, show=show)
    if differences := data.spec.differences(gen.spec):
        raise DataError(f"{told} differ in form from what the generator was fitted on: {'; '.join(differences)}")
    if len(data) < LEAST:
        raise DataError(f"{len(data)} {told}: expected at least {LEAST}; fewer bound nothing")
    x, classes = gen.spec.raw_to_model(data.raw), None
    if labels is not None:
        if data.classes is None or data.spec.classes is None:
            raise DataError(f"{told} have no labels, and the generator draws by label")
        classes = labels.indices(data.spec.classes.values_of(data.classes))
    rows = torch.from_numpy(np.random.default_rng(seed).permutation(len(data))[:most])
    return Samples(x[rows], None if classes is None else classes[rows])


def _made(gen: Any, candidates: Samples, n: int, data: TrainingData, seed: int) -> tuple[Samples, Any]:
    """n generated samples, of the classes of the candidates, which are positions in the spec of ``data``; and the space
    in which they are compared."""
    wanted = None if candidates.classes is None else candidates.classes[torch.arange(n) % len(candidates)]
    made = drawn(gen, data, wanted, n, int(derive(seed, _DRAW)), {})
    return made, detail_space(data, data.spec.joined([candidates.x, made.x]))


def _scores(gen: Any, spec: Any, candidates: Samples, made: Samples, extract: Any) -> dict[str, np.ndarray]:
    """Of each attack, for all candidates, whose classes are positions in ``spec``."""
    labels = None
    if candidates.classes is not None:
        labels = [spec.classes.values[c] for c in candidates.classes.tolist()]
    return by_generated(candidates, made, extract) | by_density(gen, spec.batched(candidates.x), labels)
