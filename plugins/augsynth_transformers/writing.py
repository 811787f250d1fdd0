"""Token by token, each text by its own numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
) -> list[list[int]]:
    """Token ids that follow n prompts.

    Args:
        numbers: (n, longest) uniform in (0, 1): row i decides text i alone.
        ended: token ids of a text so far → whether it is over.
        temperature, top_k, top_p: as of :func:`augsynth.authoring.choose_by_logits`.
    """
    cache, logits, mask = prefixes.of(prompts)
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
