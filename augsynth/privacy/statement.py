"""What a private fit guarantees, and what it does not, in words that go wherever the generator goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from augsynth.privacy.budget import Privacy

NOT_COVERED = (
    "the number of samples, the names of the classes, and form, size and range of the samples: taken as public",
    "what was chosen by looking at the data: settings, ratio, seeds, which of several fits is kept",
    "evaluations, previews of real data and reports that are made with the data afterwards",
    "people with more samples than the unit says: with k times as many, the bound is about k times epsilon",
    "further fits on the same data: their budgets add up",
)


def statement(
    privacy: Privacy, *, accountant: str, noise_multiplier: float, released: Sequence[str], **facts: Any
) -> dict[str, Any]:
    """As plain data, for ``fit_info["privacy"]``, the card and reports; ``facts`` are of one kind of fit only."""
    most = privacy.max_contributions
    return {
        "epsilon": privacy.epsilon,
        "delta": privacy.delta,
        "unit": "one sample, added or removed" if most == 1 else f"one person with up to {most} samples",
        "max_contributions": most,
        "accountant": accountant,
        "noise_multiplier": round(noise_multiplier, 6),
        **facts,
        "released_with_noise": list(released),
        "not_covered": list(NOT_COVERED),
        "void": None if privacy.noise_seed is None else "the noise was drawn from a seed, by which it can be removed",
    }


def told(stated: dict[str, Any]) -> str:
    """One line: ``(1, 1e-05)-differentially private by sample, ...``."""
    if stated.get("void"):
        return f"no differential privacy: {stated['void']}"
    return (
        f"({stated['epsilon']:g}, {stated['delta']:g})-differentially private for {stated['unit']}; "
        f"{stated['accountant']}"
    )


def card(stated: dict[str, Any] | None) -> str:
    """The section of a model card."""
    if stated is None:
        return (
            "## Privacy\n\nNone is guaranteed: this generator was fitted without differential privacy, and may give "
            "away what it was fitted on."
        )
    listed = "\n".join(f"- {one}" for one in stated["not_covered"])
    seen = ", ".join(stated["released_with_noise"])
    return (
        f"## Privacy\n\n{told(stated)}; noise multiplier {stated['noise_multiplier']:g}.\n\nRead from the data, with "
        f"noise: {seen}.\n\nNot covered:\n\n{listed}"
    )
