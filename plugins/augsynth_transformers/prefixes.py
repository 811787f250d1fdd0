"""Prompts as a model has read them: computed once each, and repeated over a batch."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

import augsynth

Prompt = tuple[int, ...]
_AT_ONCE, _KEPT = 8, 128  # prompts that are read together, and that are kept
_STEP = 16  # tokens


class Prefixes:
    """Keys and values of prompts, and what a model says after them.

    All are padded on the left to one width, so that any of them can stand in one batch.

    Args:
        model: a causal language model of transformers.
        width: tokens of the longest prompt.
    """

    def __init__(self, model: Any, width: int) -> None:
        self.model, self.width = model, width
        self._known: OrderedDict[Prompt, tuple[Any, int, Tensor]] = OrderedDict()

    def of(self, prompts: Sequence[Prompt], tails: Sequence[Prompt] | None = None) -> tuple[Any, Tensor, Tensor]:
        """A cache of n prompts for the model to go on with, the logits (n, vocabulary) of what follows each, and the
        mask (n, width) of what is no padding.

        Args:
            tails: of each prompt, tokens that follow it and are not kept; not empty.
        """
        wanted = list(dict.fromkeys(prompts))
        for one in wanted:
            if one in self._known:
                self._known.move_to_end(one)
        missing = [one for one in wanted if one not in self._known]
        for start in range(0, len(missing), _AT_ONCE):
            self._read(missing[start : start + _AT_ONCE])
        found = [self._known[one] for one in prompts]
        while len(self._known) > max(_KEPT, len(wanted)):
            self._known.popitem(last=False)
        logits = torch.stack([logits for _, _, logits in found])
        mask = padded(prompts, self.width, logits.device)[1]
        cache = _gathered([cache for cache, _, _ in found], [row for _, row, _ in found])
        if tails is None:
            return cache, logits, mask
        cache, logits, mask = self.follow(cache, mask, tails, last=1)
        return cache, logits[:, -1], mask

    def follow(self, cache: Any, mask: Tensor, tails: Sequence[Prompt], last: int) -> tuple[Any, Tensor, Tensor]:
        """Go on with n tails after what is in ``cache``: the cache, the logits (n, last, vocabulary) of what follows
        the ``last`` tokens of each, and the mask."""
        # in steps, so that a text is padded to the same width whatever stands beside it, nearly always
        longest = -(-max(map(len, tails)) // _STEP) * _STEP
        ids, own = padded(tails, longest, mask.device)
        mask = torch.cat([mask, own], dim=1)
        said = self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions(mask)[:, -longest:],
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=last,
        )
        return said.past_key_values, said.logits.float(), mask

    def _read(self, prompts: list[Prompt]) -> None:
        device = next(self.model.parameters()).device
        ids, mask = padded(prompts, self.width, device)
        cache = blank_cache(self.model)
        said = self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions(mask),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        cache = said.past_key_values
        if unlike := [one for one in cache.layers if not isinstance(getattr(one, "keys", None), Tensor)]:
            raise augsynth.CapabilityError(
                f"{type(self.model).__name__} has layers without keys and values ({type(unlike[0]).__name__}), and "
                "what it has read cannot be kept: choose a model of attention alone"
            )
        for row, one in enumerate(prompts):
            self._known[one] = (cache, row, said.logits[row, -1].float())


def padded(prompts: Sequence[Prompt], width: int, device: torch.device | str) -> tuple[Tensor, Tensor]:
    """Ids (n, width), padded on the left by 0, and where they are no padding."""
    ids = torch.zeros(len(prompts), width, dtype=torch.int64)
    mask = torch.zeros(len(prompts), width, dtype=torch.int64)
    for i, one in enumerate(prompts):
        ids[i, width - len(one) :] = torch.tensor(one)
        mask[i, width - len(one) :] = 1
    return ids.to(device), mask.to(device)


def positions(mask: Tensor) -> Tensor:
    """(n, t) positions of tokens that are padded on the left."""
    return (mask.cumsum(1) - 1).clamp(min=0)


def blank_cache(model: Any) -> Any:
    """A cache with nothing in it."""
    from transformers import DynamicCache

    return DynamicCache(config=model.config)


def kept_rows(cache: Any, rows: Tensor) -> Any:
    """The same cache with some of its sequences."""
    made = copy.copy(cache)
    made.layers = []
    for layer in cache.layers:
        own = copy.copy(layer)
        own.keys, own.values = layer.keys[rows], layer.values[rows]
        made.layers.append(own)
    return made


def _gathered(caches: list[Any], rows: list[int]) -> Any:
    """One cache of a sequence of each of several."""
    distinct = list({id(cache): cache for cache in caches}.values())
    order: list[int] = []
    parts = []
    for cache in distinct:
        own = [i for i, one in enumerate(caches) if one is cache]
        order += own
        parts.append(kept_rows(cache, torch.tensor([rows[i] for i in own])))
    back = torch.empty(len(order), dtype=torch.int64)
    back[torch.tensor(order)] = torch.arange(len(order))
    made = parts[0]
    for index, layer in enumerate(made.layers):
        layer.keys = torch.cat([part.layers[index].keys for part in parts])[back]
        layer.values = torch.cat([part.layers[index].values for part in parts])[back]
    return made
