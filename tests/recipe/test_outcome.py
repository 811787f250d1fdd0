"""What a recipe says it trained on is what is left after preparation."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from augsynth.recipe.outcome import Outcome


def test_counts_are_less_those_that_were_taken_out():
    classes = torch.tensor([0, 0, 1, 1, 1])

    def chosen(draw: int, without: Any) -> torch.Tensor:
        rows = torch.arange(5)
        return rows if without is None else rows[~torch.isin(rows, without)]

    sets: Any = SimpleNamespace(names=["a", "b"], classes=classes, chosen=chosen)
    nothing: Any = None
    assert Outcome(nothing, Path(), sets, nothing).counts == {"a": 2, "b": 3}
    assert Outcome(nothing, Path(), sets, nothing, gone=torch.tensor([1, 4])).counts == {"a": 1, "b": 2}
