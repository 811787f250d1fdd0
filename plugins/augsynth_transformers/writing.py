"""Token by token, each text by its own numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from augsynth.authoring import choose_by_logits
from augsynth_transformers.prefixes import Prefixes, Prompt, kept_rows


@torch.no_grad()
def write(
    prefixes: Prefixes,
    prompts: Sequence[Prompt],
    numbers: Tensor,
    ended: Callable[[list[int]], bool],
    *,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    tails: Sequence[Prompt] | None = None,
) -> list[list[int]]:
    """Token ids that follow n prompts.

    Args:
        tails: n more tokens, which follow the prompts and are read anew.
        numbers: (n, longest) uniform in (0, 1): row i decides text i alone.
        ended: token ids of a text so far → whether it is over.
        temperature, top_k, top_p: as of :func:`augsynth.authoring.choose_by_logits`.
    """
    cache, logits, mask = prefixes.of(prompts, tails)
    made: list[list[int]] = [[] for _ in prompts]
    rows = torch.arange(len(prompts))  # of the batch that is still written
    over = torch.zeros(len(prompts), dtype=torch.bool)
    for t in range(numbers.shape[1]):
        tokens = choose_by_logits(logits, numbers[rows, t], temperature=temperature, top_k=top_k, top_p=top_p)
        for place, (row, token) in enumerate(zip(rows.tolist(), tokens.tolist(), strict=True)):
            if not over[place]:
                made[row].append(token)
                over[place] = ended(made[row])
        if bool(over.all()) or t + 1 == numbers.shape[1]:
            break
        if int(over.sum()) > len(rows) // 2:  # to leave them out takes a copy of all others
            left = (~over).nonzero().flatten()
            cache, rows, mask, tokens = kept_rows(cache, left), rows[left], mask[left], tokens[left]
            over = over[left]
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
        said = prefixes.model(
            input_ids=tokens[:, None],
            attention_mask=mask,
            position_ids=mask.sum(1, keepdim=True) - 1,
            past_key_values=cache,
            use_cache=True,
        )
        cache, logits = said.past_key_values, said.logits[:, -1].float()
    return made


def ending(tokenizer: Any, model: Any, stop: str) -> Callable[[list[int]], bool]:
    """Token ids of a text so far → whether it is over: by what the tokenizer and the model's settings name as an end,
    or by ``stop``."""
    config = getattr(model, "generation_config", None)
    own = [tokenizer.eos_token_id, getattr(config, "eos_token_id", None)]
    ends = {one for given in own for one in (given if isinstance(given, list) else [given]) if one is not None}
    # what a token says may depend on the one before it
    return lambda ids: ids[-1] in ends or stop in _decoded(tokenizer, ids).lstrip()


def text_of(tokenizer: Any, ids: Sequence[int], stop: str) -> str:
    """What token ids say, up to ``stop``."""
    text = _decoded(tokenizer, ids).lstrip().split(stop)[0]
    return text.replace("\ufffd", "").replace("\x00", "").strip()


def _decoded(tokenizer: Any, ids: Sequence[int]) -> str:
    text: str = tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text
