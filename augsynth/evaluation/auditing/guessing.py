"""What an attacker with these scores achieves, and the bound on epsilon that follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from augsynth.evaluation.auditing.bound import epsilon_bound
from augsynth.evaluation.auditing.result import Attack, Audit
from augsynth.evaluation.figures import auc, share

_GUESSED = (0.02, 0.1, 0.4, 1.0)  # of the candidates: the surest first
_FALSE_ALARMS = 0.01
USUAL_DELTA = 1e-5


def coins(members: int, others: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Candidates, each a member or not by the toss of a fair coin, as many as there are samples for.

    Returns:
        (n,) bool whether each is a member, and the rows of the members, and of the others, in their order.
    """
    random = np.random.default_rng(seed)
    heads = random.random(members + others) < 0.5
    used = (heads.cumsum() <= members) & ((~heads).cumsum() <= others)
    heads = heads[: len(used) if used.all() else int(used.argmin())]
    return heads, random.permutation(members)[: heads.sum()], random.permutation(others)[: (~heads).sum()]


def audited(
    scores: Mapping[str, tuple[np.ndarray, np.ndarray]],
    stated: Mapping[str, Any] | None,
    *,
    name: str,
    confidence: float,
    delta: float | None,
    seed: int,
    settings: Mapping[str, Any],
) -> Audit:
    """Guess who the members are by each score, and bound ε by how many guesses are right.

    All looks together keep the confidence (Bonferroni).

    Args:
        scores: name → (of the members, of the others); higher says member.
        stated: the statement of the fit's privacy, or None.
        name: of the generator.
        delta: of the bound; None takes that of the statement, or 1e-5.
    """
    claimed = None if stated is None or stated.get("void") else float(stated["epsilon"])
    delta = delta if delta is not None else USUAL_DELTA if claimed is None else float((stated or {})["delta"])
    each = 1.0 - (1.0 - confidence) / (len(scores) * len(_GUESSED))
    attacks, candidates = {}, 0
    for number, (kind, (members, others)) in enumerate(scores.items()):
        heads, chosen, rest = coins(len(members), len(others), seed)
        candidates = len(heads)
        score = np.empty(candidates)
        score[heads], score[~heads] = members[chosen], others[rest]
        # equal scores are put in an order that does not know who is a member
        order = np.lexsort((np.random.default_rng(seed + number).random(candidates), score))
        bound = 0.0
        for part in _GUESSED:
            half = max(1, int(part * candidates) // 2)
            correct = int(heads[order[-half:]].sum() + (~heads[order[:half]]).sum())
            bound = max(bound, epsilon_bound(candidates, 2 * half, correct, delta, each))
        value, about = auc(members, others)
        caught, about_caught = share(members > np.quantile(others, 1 - _FALSE_ALARMS, method="higher"))
        above = (others[None, :] > members[:, None]).mean(1)
        exposed = float(np.median(-np.log2(np.maximum(above, 1.0 / (len(others) + 1)))))
        attacks[kind] = Attack(kind, value, about, caught, about_caught, exposed, bound)
    bound = max(one.epsilon for one in attacks.values())
    violated = claimed is not None and bound > claimed
    told = _sentence(name, attacks, bound, confidence, delta, claimed, violated, stated)
    return Audit(told, attacks, bound, confidence, delta, claimed, violated, candidates, dict(settings))


def _sentence(
    name: str,
    attacks: Mapping[str, Attack],
    bound: float,
    confidence: float,
    delta: float,
    claimed: float | None,
    violated: bool,
    stated: Mapping[str, Any] | None,
) -> str:
    found = f"a lower bound on epsilon of {bound:.2f} (at delta {delta:g}, with {100 * confidence:g} % confidence)"
    if violated:
        return (
            f"{name} breaks its promise: the attacks give {found}, and its fit claims {claimed:g}. Do not use or share "
            "it: the fit, the plugin or the statement is wrong, or these samples were not split at random."
        )
    if claimed is not None:
        return (
            f"{name}: {found}, which does not contradict the {claimed:g} that its fit claims. That proves no privacy."
        )
    void = f" ({stated['void']})" if stated is not None and stated.get("void") else ""
    best = max(attacks.values(), key=lambda one: one.auc_interval[0])
    low, high = best.auc_interval
    told = f"{best.name} tells members from others with an AUC of {best.auc:.2f} [{low:.2f}, {high:.2f}]"
    if bound > 0:
        return f"{name} gives away what it was fitted on: {found}; {told}. Its fit promised no privacy{void}."
    return f"{name}: no lower bound on epsilon was found; {told}. Its fit promised no privacy{void}; this proves none."
