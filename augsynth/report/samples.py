"""Samples as a report shows them: what the kind of data makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from augsynth._optional import import_optional
from augsynth.recognition import modality_of

_SHOWN = 10


@dataclass(frozen=True)
class Block:
    """Samples that stand side by side; ``left`` and ``right`` are HTML, safe to be put into a page."""

    name: str
    left: Any
    right: Any
    note: str = ""


def class_blocks(sets: Any) -> list[Block]:
    """Held-out beside generated samples of each class, unselected: the first ones drawn."""
    blocks = []
    for c, name in enumerate(sets.names):
        sides = []
        for one in (sets.held, sets.made):
            rows = torch.arange(len(one)) if one.classes is None else (one.classes == c).nonzero().flatten()
            sides.append(_shown(sets, one.x[rows[:_SHOWN]]))
        blocks.append(Block(name, *sides))
    return blocks


def pair_blocks(sets: Any, pairs: list[Any]) -> list[Block]:
    """Generated samples that look most like copies, each beside the training sample nearest to it."""
    return [
        Block(
            _name(sets, pair.sample),
            _shown(sets, sets.made.x[[pair.sample]], large=True),
            _shown(sets, sets.all_train.x[[pair.train]], large=True),
            f"{pair.ratio:.2f}",
        )
        for pair in pairs
    ]


def unlikely_blocks(sets: Any, labels: Any) -> list[Block]:
    """Generated samples whose label the classifier doubts most."""
    return [Block(_name(sets, i), _shown(sets, sets.made.x[[i]], large=True), None) for i in labels.unlikely[:12]]


def html_of(spec: Any, raw: Any, index: int) -> Any:
    """One raw sample as HTML, safe to be put into a page."""
    return _safe(spec, spec.raw_to_model(raw[index : index + 1]), large=True)


def _name(sets: Any, i: int) -> str:
    return "" if sets.made.classes is None else sets.names[int(sets.made.classes[i])]


def _shown(sets: Any, x: Any, *, large: bool = False) -> Any:
    return _safe(sets.data.spec, x, large=large)


def _safe(spec: Any, x: Any, *, large: bool) -> Any:
    safe = import_optional("markupsafe", extra="report", purpose="reports").Markup
    return safe(modality_of(spec).html(spec, x, large=large))
