"""Samples as a report shows them: pictures as data URLs, texts as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from augsynth.grids import image_grid
from augsynth.report.render import embedded_image

_SHOWN, _TEXTS, _LONGEST = 10, 6, 400


@dataclass(frozen=True)
class Block:
    """Samples that stand side by side: ``left`` and ``right`` are data URLs of pictures, or lists of texts."""

    name: str
    left: Any
    right: Any
    note: str = ""

    @property
    def text(self) -> bool:
        """Whether it holds texts."""
        return isinstance(self.left, list)


def class_blocks(sets: Any) -> list[Block]:
    """Held-out beside generated samples of each class, unselected: the first ones drawn."""
    blocks = []
    for c, name in enumerate(sets.names):
        sides = []
        for one in (sets.held, sets.made):
            rows = torch.arange(len(one)) if one.classes is None else (one.classes == c).nonzero().flatten()
            sides.append(_shown(one.x[rows[: _TEXTS if isinstance(one.x, list) else _SHOWN]]))
        blocks.append(Block(name, *sides))
    return blocks


def pair_blocks(sets: Any, pairs: list[Any]) -> list[Block]:
    """Generated samples that look most like copies, each beside the training sample nearest to it."""
    return [
        Block(
            _name(sets, pair.sample),
            _shown(sets.made.x[[pair.sample]], large=True),
            _shown(sets.all_train.x[[pair.train]], large=True),
            f"{pair.ratio:.2f}",
        )
        for pair in pairs
    ]


def unlikely_blocks(sets: Any, labels: Any) -> list[Block]:
    """Generated samples whose label the classifier doubts most."""
    return [Block(_name(sets, i), _shown(sets.made.x[[i]], large=True), None) for i in labels.unlikely[:12]]


def _name(sets: Any, i: int) -> str:
    return "" if sets.made.classes is None else sets.names[int(sets.made.classes[i])]


def _shown(x: Any, *, large: bool = False) -> Any:
    if isinstance(x, list):
        return [text if len(text) <= _LONGEST else text[:_LONGEST] + " …" for text in x]
    width = x.shape[3]
    scale = max(1, (72 if large else 44) // width)
    return embedded_image(image_grid(x, min(len(x), _SHOWN), scale=scale, gap=0 if large else 3, smooth=width < 16))
